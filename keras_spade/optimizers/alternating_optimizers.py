"""The two optimizers of a GAN as one, for code that uses `model.optimizer`."""

import keras

from keras_spade.tensor import Tensor


@keras.saving.register_keras_serializable(package="keras_spade")
class AlternatingOptimizers(keras.optimizers.Optimizer):
    """Two optimizers that take turns, each with its own variables.

    This is the `optimizer` of a `GauGAN`, where Keras callbacks find the learning rate to lower
    (`ReduceLROnPlateau`) and the averages to swap in (`SwapEMAWeights`). The two optimizers
    themselves make the steps.

    Args:
        generator_optimizer: of generator and encoder.
        discriminator_optimizer: of the discriminator.

    Example:

    >>> import keras
    >>> from keras_spade.optimizers import AlternatingOptimizers
    >>> both = AlternatingOptimizers(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.4))
    >>> both.learning_rate = 0.05
    >>> round(float(both.optimizers[1].learning_rate), 3)
    0.2
    """

    def __init__(
        self,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        name: str = "alternating_optimizers",
    ):
        super().__init__(learning_rate=0.0, name=name)
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.keep_ratio(
            *(
                float(keras.ops.convert_to_numpy(optimizer.learning_rate))
                for optimizer in (generator_optimizer, discriminator_optimizer)
            )
        )

    def keep_ratio(self, generator_rate: float, discriminator_rate: float) -> None:
        """Sets the ratio of the rates; by default, the ratio at construction."""
        self._ratio = discriminator_rate / generator_rate if generator_rate else None

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The two, without loss-scaling wrappers."""
        both = (self.generator_optimizer, self.discriminator_optimizer)
        return [getattr(optimizer, "inner_optimizer", optimizer) for optimizer in both]

    @property
    def learning_rate(self) -> Tensor:
        """The generator's rate; setting it also sets the discriminator's, keeping their ratio.

        The ratio is the one at construction. Keras' callbacks do not set this: they set the rate of
        each of `optimizers` separately.
        """
        return self.generator_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: Tensor) -> None:
        self.generator_optimizer.learning_rate = rate
        if self._ratio is not None:
            self.discriminator_optimizer.learning_rate = rate * self._ratio

    @property
    def iterations(self) -> keras.Variable:
        """The number of steps of the generator's optimizer."""
        return self.generator_optimizer.iterations

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables of both, which Keras' loop carries on JAX."""
        return self.generator_optimizer.variables + self.discriminator_optimizer.variables

    def build(self, variables):
        """Does nothing: each optimizer is built with its own variables."""
        self.built = True

    def apply(self, grads, trainable_variables=None):
        """Raises, because the two take turns."""
        raise RuntimeError(
            "The optimizers of a GauGAN take turns: use `generator_optimizer` and "
            "`discriminator_optimizer`."
        )

    def finalize_variable_values(self, var_list):
        """Does nothing: `fit` does not replace weights by their averages when it ends."""

    def save_own_variables(self, store):
        """Saves nothing: each optimizer saves its own."""

    def load_own_variables(self, store):
        """Loads nothing."""

    def get_config(self):
        """The constructor's arguments."""
        return {
            "generator_optimizer": keras.saving.serialize_keras_object(self.generator_optimizer),
            "discriminator_optimizer": keras.saving.serialize_keras_object(
                self.discriminator_optimizer
            ),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Builds it from `get_config()`."""
        both = {
            k: keras.saving.deserialize_keras_object(config[k], custom_objects=custom_objects)
            for k in ("generator_optimizer", "discriminator_optimizer")
        }
        return cls(**{**config, **both})
