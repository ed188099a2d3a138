"""The paper's learning-rate schedule."""

import keras


@keras.saving.register_keras_serializable(package="keras_spade")
class LinearDecay(keras.callbacks.Callback):
    """Lowers both learning rates of a `GauGAN` linearly to zero over the last epochs.

    The first `constant_epochs + 1` epochs keep the initial rates; each later epoch lowers them by
    `1 / decay_epochs` of these. (The reference implementation updates at
    the end of an epoch, so the last epoch still runs at `1 / decay_epochs`.) The rate only depends
    on the epoch: interrupted training resumes correctly with `fit(initial_epoch=...)`.

    Args:
        constant_epochs: epochs at the full rates; `None`: half of the epochs of `fit`.
        decay_epochs: epochs of decay; `None`: the rest of the epochs of `fit`.

    Raises:
        ValueError: for negative numbers of epochs.

    Example:

    >>> from keras_spade.callbacks import LinearDecay
    >>> decay = LinearDecay(constant_epochs=50, decay_epochs=50)
    >>> decay.factor(0), decay.factor(75)
    (1.0, 0.5)

    Reference: Park et al. 2019 (arXiv 1903.07291), appendix A, "Training details".
    """

    def __init__(self, constant_epochs: int | None = None, decay_epochs: int | None = None):
        super().__init__()
        for name, value in (("constant_epochs", constant_epochs), ("decay_epochs", decay_epochs)):
            if value is not None and value < 0:
                raise ValueError(f"`{name}` must not be negative, got {value!r}.")
        self.constant_epochs = constant_epochs
        self.decay_epochs = decay_epochs

    def factor(self, epoch: int) -> float:
        """The fraction of the initial learning rates during an epoch, counted from 0."""
        epochs = (self.params or {}).get("epochs", 0)
        constant = epochs // 2 if self.constant_epochs is None else self.constant_epochs
        decay = epochs - constant if self.decay_epochs is None else self.decay_epochs
        return max(0.0, 1.0 - max(0, epoch - constant) / max(decay, 1))

    def on_epoch_begin(self, epoch, logs=None):
        """Sets both learning rates."""
        optimizers = (self.model.generator_optimizer, self.model.discriminator_optimizer)
        for optimizer, rate in zip(optimizers, self.model.initial_learning_rates, strict=True):
            optimizer.learning_rate = rate * self.factor(epoch)

    def get_config(self):
        """The constructor's arguments."""
        return {"constant_epochs": self.constant_epochs, "decay_epochs": self.decay_epochs}

    @classmethod
    def from_config(cls, config):
        """Builds the callback from `get_config()`."""
        return cls(**config)
