"""What `fit` needs for going on in the middle of an epoch."""

import keras

from keras_spade.backends import backend
from keras_spade.callbacks import BackupAndRestore


def split_callbacks(callbacks):
    """A list of callbacks, and the `BackupAndRestore` among them, or `None`, which is not in it."""
    if callbacks is None:
        callbacks = []
    elif isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    elif isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks]
    for callback in callbacks:
        if isinstance(callback, type):
            name = callback.__name__
            raise ValueError(f"`callbacks`: {name} is a class; give an object of it, {name}(...).")
    backups = [c for c in callbacks if isinstance(c, BackupAndRestore)]
    if len(backups) > 1:
        raise ValueError("`callbacks`: there must be one BackupAndRestore at most.")
    others = [c for c in callbacks if not isinstance(c, BackupAndRestore)]
    return others, backups[0] if backups else None


class KeepsWeights(keras.callbacks.Callback):
    """Stands before a `SwapEMAWeights(swap_on_epoch=True)`, which puts averages into the model.

    At the end of training they stay there; the backup is to hold the weights all the same.
    """

    def __init__(self, backup):
        super().__init__()
        self.backup = backup

    def on_epoch_end(self, epoch, logs=None):
        """Keeps the weights."""
        self.backup.keep_weights()


class OwnAverages(keras.callbacks.Callback):
    """Stands behind a `SwapEMAWeights`, on JAX.

    At the end of training Keras puts the same array into weights and averages; the next picture or
    step takes the weights' for its own, and it would be gone from the averages.
    """

    def on_epoch_end(self, epoch, logs=None):
        """Copies the averages."""
        for optimizer in self.model.optimizer.optimizers:
            if optimizer.use_ema:
                for average in optimizer._model_variables_moving_average:
                    average.assign(keras.ops.copy(average))


def with_own_averages(callbacks):
    """The callbacks; where buffers are shared, an `OwnAverages` after each `SwapEMAWeights`."""
    if not backend.SHARES_BUFFERS:
        return callbacks
    pairs = [
        [c, OwnAverages()] if isinstance(c, keras.callbacks.SwapEMAWeights) else [c]
        for c in callbacks
    ]
    return [callback for pair in pairs for callback in pair]


def swapping(callbacks):
    """The `SwapEMAWeights` among callbacks that put averages into the model after every epoch."""
    swaps = [c for c in callbacks if isinstance(c, keras.callbacks.SwapEMAWeights)]
    return [swap for swap in swaps if swap.swap_on_epoch]


def begin_with_weights(callbacks):
    """Tells `SwapEMAWeights` used before that a backup has put weights back into the model."""
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            callback._ema_weights_in_model = False


def end_with_averages(model, swaps):
    """Leaves model and optimizers as Keras does after the last epoch of a `SwapEMAWeights`.

    That is, with the averages in the place of weights and of averages: Keras does not if training
    was stopped earlier, nor if a training that had ended makes no epoch.

    Args:
        model: a `GauGAN`.
        swaps: what `swapping` found.
    """
    for optimizer in model.optimizer.optimizers if swaps else ():
        if not optimizer.use_ema or not int(keras.ops.convert_to_numpy(optimizer.iterations)):
            continue  # There are no averages before the first step.
        averages = optimizer._model_variables_moving_average
        for variable, average in zip(optimizer._trainable_variables, averages, strict=True):
            if swaps[0]._ema_weights_in_model:
                average.assign(keras.ops.copy(variable))
            else:
                variable.assign(keras.ops.copy(average))
