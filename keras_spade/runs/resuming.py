"""Support for resuming `fit` in the middle of an epoch."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_spade.backends import backend
from keras_spade.callbacks import BackupAndRestore
from keras_spade.compiled_gan import CompiledGan


def split_callbacks(
    callbacks: Any,
) -> tuple[list[keras.callbacks.Callback], BackupAndRestore | None]:
    """Splits callbacks into the `BackupAndRestore`, or `None`, and a list of the others."""
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
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            _check_swapping()
    backups = [c for c in callbacks if isinstance(c, BackupAndRestore)]
    if len(backups) > 1:
        raise ValueError("`callbacks`: there must be at most one BackupAndRestore.")
    others = [c for c in callbacks if not isinstance(c, BackupAndRestore)]
    return others, backups[0] if backups else None


class KeepsWeights(keras.callbacks.Callback):
    """Comes before a `SwapEMAWeights(swap_on_epoch=True)`, which puts averages into the model.

    They stay there at the end of training, but the backup must hold the weights.
    """

    def __init__(self, backup: BackupAndRestore):
        super().__init__()
        self.backup = backup

    def on_epoch_end(self, epoch, logs=None):
        """Keeps the weights."""
        self.backup.keep_weights()


class OwnAverages(keras.callbacks.Callback):
    """Comes after a `SwapEMAWeights` on JAX.

    At the end of training, Keras stores the same array in weights and averages. The next picture or
    step donates the buffer of the weights, which would invalidate the averages.
    """

    def on_epoch_end(self, epoch, logs=None):
        """Copies the averages."""
        for optimizer in self.model.optimizer.optimizers:
            if optimizer.use_ema:
                for average in optimizer._model_variables_moving_average:
                    average.assign(keras.ops.copy(average))


def with_own_averages(
    callbacks: Sequence[keras.callbacks.Callback],
) -> Sequence[keras.callbacks.Callback]:
    """The callbacks, with an `OwnAverages` after each `SwapEMAWeights` if buffers are shared."""
    if not backend.SHARES_BUFFERS:
        return callbacks
    pairs = [
        [c, OwnAverages()] if isinstance(c, keras.callbacks.SwapEMAWeights) else [c]
        for c in callbacks
    ]
    return [callback for pair in pairs for callback in pair]


def _check_swapping() -> None:
    """Raises if Keras is too old to swap the averages of two optimizers."""
    if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 15):
        raise ValueError(
            "`callbacks`: SwapEMAWeights needs Keras 3.15 to swap the averages of a GauGAN's "
            f"optimizers, and this is {keras.__version__}. Omit it: ImageGrid, EvaluateMetrics and "
            "RunPage paint with the averages anyway, and gan.averaged() is a copy that has them."
        )


def swapping(callbacks: Sequence[keras.callbacks.Callback]) -> list[keras.callbacks.SwapEMAWeights]:
    """The `SwapEMAWeights` callbacks that put averages into the model after every epoch."""
    swaps = [c for c in callbacks if isinstance(c, keras.callbacks.SwapEMAWeights)]
    return [swap for swap in swaps if swap.swap_on_epoch]


def begin_with_weights(callbacks: Sequence[keras.callbacks.Callback]) -> None:
    """Informs earlier `SwapEMAWeights` that a backup has restored the weights of the model."""
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            callback._ema_weights_in_model = False


def end_with_averages(model: CompiledGan, swaps: Sequence[keras.callbacks.SwapEMAWeights]) -> None:
    """Leaves model and optimizers as Keras does after the last epoch of a `SwapEMAWeights`.

    That is, both the weights and the averages hold the averages. Keras itself does not do this if
    training was stopped earlier, or if a training that has ended makes no epoch.

    Args:
        model: a `GauGAN`.
        swaps: the result of `swapping`.
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
