"""Restoring the state of callbacks that monitor the best epoch."""

import copy
import math
import warnings
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import keras

from keras_spade.callbacks.epochs_of import epochs_of

PATIENT = (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau)
# The state that they update every epoch.
FOUND = ("best", "best_epoch", "wait", "cooldown_counter")


class BestValues(keras.callbacks.Callback):
    """Restores callbacks that monitor a number to their state before an interruption.

    Keras' callbacks keep it in memory only: after an interruption, `ModelCheckpoint` would
    replace the best file by that of the next epoch, and `EarlyStopping` would start waiting again.
    Here they receive the earlier epochs again. `fit` calls it after them, because they reset their
    state when training begins.

    Args:
        callbacks: of `fit`, those of `check_monitors`.
        epochs: the numbers of the earlier epochs.
        history: their logs by name, as in `keras.callbacks.History`.
    """

    def __init__(self, callbacks: Sequence, epochs: Sequence[int], history: Mapping[str, Sequence]):
        super().__init__()
        self.ended = False
        self._found = []
        for callback in callbacks:
            values = history.get(getattr(callback, "monitor", None), ())
            if not len(values):
                continue
            values = list(zip(epochs_of(values, epochs), values, strict=True))
            if isinstance(callback, keras.callbacks.ModelCheckpoint):
                self._found.append((callback, {"best": _best(callback, values)}))
            elif isinstance(callback, PATIENT) and not _needs_weights(callback, values):
                shown = _shown(callback, values)
                found = {name: getattr(shown, name) for name in FOUND if hasattr(shown, name)}
                self._found.append((callback, found))
                self.ended |= shown.model.stop_training

    def on_train_begin(self, logs=None):
        """Restores the callbacks."""
        for callback, found in self._found:
            for name, value in found.items():
                setattr(callback, name, value)


def _best(callback, values):
    """The best of some values and of the callback's initial value."""
    known = [value for _, value in values if not math.isnan(value)]
    if callback.best is not None:
        known.append(callback.best)
    return (max if callback.mode == "max" else min)(known, default=None)


def _shown(callback, values):
    """A copy of a callback with patience that has seen earlier epochs, with a stub of a model."""
    shown = copy.copy(callback)
    shown.verbose = 0
    optimizer = SimpleNamespace(learning_rate=float("inf"))  # The lower limit is never reached.
    shown.set_model(SimpleNamespace(stop_training=False, optimizer=optimizer))
    shown.on_train_begin()
    for epoch, value in values:
        shown.on_epoch_end(epoch, {callback.monitor: value})
    return shown


def _needs_weights(callback, values):
    """Whether a callback would need the weights of an earlier epoch; if so, warns."""
    if not getattr(callback, "restore_best_weights", False):
        return False
    warnings.warn(
        "EarlyStopping(restore_best_weights=True): backups do not contain the best weights so far, "
        "so it starts over and will restore the best weights from now on. Use "
        "`restore_best_weights=False`, and ModelCheckpoint(save_best_only=True) to keep them.",
        stacklevel=2,
    )
    return True
