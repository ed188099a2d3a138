"""Best values of callbacks after an interruption, compared with Keras' own without one."""

import copy
from types import SimpleNamespace

import keras
import pytest

from keras_spade.runs.best_values import FOUND, BestValues

VALUES = [5.0, 3.0, 4.0, 3.5, 2.0, 2.5, 2.6]


def seen(callback, values):
    """The values that Keras' own callback sees in each epoch."""
    callback = copy.copy(callback)
    callback.set_model(
        SimpleNamespace(stop_training=False, optimizer=SimpleNamespace(learning_rate=1.0))
    )
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"a": value})
    return {
        name: getattr(callback, name) for name in FOUND if hasattr(callback, name)
    }, callback.model


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.EarlyStopping("a", mode="min", patience=9),
        keras.callbacks.EarlyStopping("a", mode="min", patience=9, min_delta=1.2),
        keras.callbacks.EarlyStopping("a", mode="max", patience=9, start_from_epoch=2),
        keras.callbacks.EarlyStopping("a", mode="min", patience=2),
        keras.callbacks.ReduceLROnPlateau("a", mode="min", patience=2, cooldown=2),
    ],
)
@pytest.mark.parametrize("count", [1, 4, 7])
def test_patience_is_that_of_an_uninterrupted_training(callback, count):
    wanted, model = seen(callback, VALUES[:count])
    fresh = copy.copy(callback)
    best_values = BestValues([fresh], list(range(count)), {"a": VALUES[:count]})
    fresh.on_train_begin()
    best_values.on_train_begin()
    assert {name: getattr(fresh, name) for name in wanted} == wanted
    assert best_values.ended == model.stop_training


def test_the_best_so_far_is_not_written_over():
    def best(mode, values, **arguments):
        saver = keras.callbacks.ModelCheckpoint("x.keras", "a", mode=mode, **arguments)
        best_values = BestValues([saver], list(range(len(values))), {"a": values})
        best_values.on_train_begin()
        return saver.best

    nan = float("nan")
    assert best("min", [nan, 3.0, 2.0, 4.0]) == 2.0 and best("max", [1.0, nan, 0.5]) == 1.0
    assert best("min", [3.0], initial_value_threshold=1.0) == 1.0
    assert best("min", [nan]) is None and best("min", []) is None


def test_what_no_backup_holds_is_reported():
    stop = keras.callbacks.EarlyStopping("a", mode="min", restore_best_weights=True)
    with pytest.warns(UserWarning, match="backups do not contain the best weights"):
        best_values = BestValues([stop], [0, 1], {"a": [1.0, 2.0]})
    stop.on_train_begin()
    best_values.on_train_begin()
    assert stop.best is None and not best_values.ended


@pytest.mark.parametrize(("values", "best_epoch"), [([1.0, 2.0], 1), ([2.0, 1.0, 3.0], 2)])
def test_two_of_four_epochs_are_every_second_and_three_the_last_ones(values, best_epoch):
    stop = keras.callbacks.EarlyStopping("a", mode="min", patience=9)
    best_values = BestValues([stop], [0, 1, 2, 3], {"a": values})
    stop.on_train_begin()
    best_values.on_train_begin()
    assert stop.best_epoch == best_epoch
