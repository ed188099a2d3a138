"""Keras' loop on JAX takes the variables out of the model while it trains."""

import gc
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from support.backends import float64_throughout, only_on, swaps_averages
from support.tiny_gan import state_of, tiny_batch, tiny_gan

from keras_spade.backends import backend
from keras_spade.callbacks import BackupAndRestore

pytestmark = only_on("jax", "elsewhere variables stay where they are")

if keras.backend.backend() == "jax":
    from keras_spade.backends import jax_loop


def interrupted(gan, data, folder):
    """Trains until the second step of the second epoch."""

    def stop(batch, logs):
        if int(gan.generator_optimizer.iterations) == 3 and batch == 1:
            raise KeyboardInterrupt

    backup = BackupAndRestore(folder, save_freq=1)
    kept = keras.callbacks.LambdaCallback(on_train_batch_begin=stop)
    with pytest.raises(KeyboardInterrupt):
        gan.fit(data, batch_size=2, epochs=2, verbose=0, callbacks=[backup, kept])


def test_training_resumes_after_a_picture(tmp_path):
    data = tiny_batch(4)
    gan = tiny_gan()
    interrupted(gan, data, tmp_path)
    gan.generate(data["labels"])
    backup = BackupAndRestore(tmp_path, save_freq=1)
    gan.fit(data, batch_size=2, epochs=2, verbose=0, callbacks=[backup])
    assert int(gan.generator_optimizer.iterations) == 4
    whole = tiny_gan()
    whole.fit(
        data, batch_size=2, epochs=2, verbose=0, callbacks=[BackupAndRestore(tmp_path / "whole")]
    )
    want = state_of(whole)
    assert all(np.array_equal(array, want[name]) for name, array in state_of(gan).items())


def test_a_bad_batch_within_an_execution_loses_nothing():
    gan = tiny_gan(steps_per_execution=2)
    before = state_of(gan)
    data = tiny_batch(8)
    data["labels"][3, 0, 0] = 9
    with pytest.raises(ValueError, match="found .*: 0, 9"):
        gan.fit(data, batch_size=2, shuffle=False, verbose=0)
    after = state_of(gan)
    assert all(np.array_equal(before[k], after[k]) for k in before if not k.startswith("metrics"))
    for call in (gan.evaluate, gan.predict):
        with pytest.raises(ValueError, match="found .*: 0, 9"):
            call(data, batch_size=2, verbose=0)
    assert all(np.array_equal(before[k], v) for k, v in state_of(gan).items() if k[:4] == "gene")


def after_two_steps(dtype, run_eagerly, sides):
    """The losses of each step, and the state afterwards."""
    gan, rows = tiny_gan(dtype=dtype, run_eagerly=run_eagerly, **sides), []
    store = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: rows.append(logs))
    data = tiny_batch(4)
    data["image"] = data["image"].astype(dtype)
    gan.fit(data, batch_size=2, shuffle=False, verbose=0, callbacks=[store])
    return rows, state_of(gan)


def test_compiled_and_uncompiled_steps_are_the_same():
    with float64_throughout():
        (losses, state), (want, eager) = (
            after_two_steps("float64", run_eagerly, {}) for run_eagerly in (False, True)
        )
    assert len(losses) == len(want) == 2
    for name, value in eager.items():
        np.testing.assert_allclose(state[name], value, 1e-10, 1e-10, err_msg=name)
    for mine, theirs in zip(losses, want, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-10, abs=1e-10)


def test_in_float32_compiled_and_uncompiled_losses_are_the_same():
    """By gradient descent: Adam moves each weight equally far, whose gradient may be rounding."""
    found = []
    for run_eagerly in (False, True):
        sides = ("generator_optimizer", "discriminator_optimizer")
        optimizers = {side: keras.optimizers.SGD(0.01) for side in sides}
        found.append(after_two_steps("float32", run_eagerly, optimizers)[0])
    for mine, theirs in zip(*found, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-5, abs=1e-5)


@pytest.fixture
def accelerator(monkeypatch):
    """As if JAX computed on a GPU."""
    monkeypatch.setattr(jax_loop, "on_accelerator", lambda: True)


def events_of(calls, jit_compile=True, fails_at=None, steps=None):
    """What the function of a loop does in calls of two steps, in order."""
    events = []

    def batches():
        for number in range(5):
            events.append(f"read {number}")
            yield number

    def prepare(batch):
        events.append(f"prepare {batch}")
        if batch == fails_at:
            raise ValueError(f"batch {batch}")
        return batch

    def function(state, iterator):
        events.append(f"steps {list(iterator)}")
        return {}, state

    model = SimpleNamespace(jit_compile=jit_compile, run_eagerly=False, steps_per_execution=2)
    model.jax_state_sync = lambda: None
    guarded = backend.guarded(model, function, prepare, steps=lambda: steps)
    iterator = batches()
    try:
        for _ in range(calls):
            guarded(([], []), iterator)
            events.append("results")
    except (ValueError, StopIteration) as error:
        events.append(f"{type(error).__name__} {error}".strip())
    del iterator
    gc.collect()
    assert fails_at is not None or not guarded.ahead  # An error holds its iterator.
    return events


def test_the_next_batches_are_prepared_before_results_are_read(accelerator):
    """The device computes from the call of the steps until the results are there."""
    assert events_of(2) == [
        *("read 0", "prepare 0", "read 1", "prepare 1"),
        *("steps [0, 1]", "read 2", "prepare 2", "read 3", "prepare 3", "results"),
        *("steps [2, 3]", "read 4", "prepare 4", "results"),
    ]
    assert events_of(5)[-4:] == ["results", "steps [4]", "results", "StopIteration"]


@pytest.mark.parametrize("steps", [3, 4])
def test_nothing_is_read_after_the_last_step_of_an_epoch(accelerator, steps):
    events = events_of(2, steps=steps)
    assert events[-2:] == ["steps [2, 3]", "results"] and "read 4" not in events


def test_on_a_cpu_and_without_compilation_nothing_is_read_ahead(monkeypatch):
    assert events_of(2)[4:] == [
        *("steps [0, 1]", "results", "read 2", "prepare 2", "read 3", "prepare 3"),
        *("steps [2, 3]", "results"),
    ]
    monkeypatch.setattr(jax_loop, "on_accelerator", lambda: True)
    assert events_of(2, jit_compile=False) == [
        *("read 0", "read 1", "steps [0, 1]", "results"),
        *("read 2", "read 3", "steps [2, 3]", "results"),
    ]


def test_a_batch_that_is_read_ahead_is_refused_when_it_is_used(accelerator):
    want = ["read 2", "prepare 2", "read 3", "prepare 3", "results", "ValueError batch 3"]
    assert events_of(2, fails_at=3)[-6:] == want
    assert events_of(1, fails_at=3)[-6:] == ["steps [0, 1]", *want[:-1]]


def test_a_generator_loses_no_batch(accelerator):
    """Two epochs of two steps, each with one step of validation, then an evaluation."""
    gan, served = tiny_gan(), {"train": 0, "val": 0}

    def batches(name):
        while True:
            served[name] += 1
            yield (tiny_batch(1, seed=served[name]),)

    training, validation = batches("train"), batches("val")
    kwargs = {"validation_data": validation, "validation_steps": 1, "shuffle": False}
    gan.fit(training, steps_per_epoch=2, epochs=2, verbose=0, **kwargs)
    assert served == {"train": 4, "val": 2}
    gan.evaluate(training, steps=2, verbose=0)
    assert served["train"] == 6


def test_an_interruption_while_batches_are_prepared_loses_nothing(accelerator, monkeypatch):
    gan, data = tiny_gan(), tiny_batch(6)
    prepare = type(gan.generator).with_patterns
    calls = []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return prepare(*arguments)

    monkeypatch.setattr(type(gan.generator), "with_patterns", interrupted)
    with pytest.raises(KeyboardInterrupt):
        gan.fit(data, batch_size=2, shuffle=False, verbose=0)
    monkeypatch.undo()
    twin = tiny_gan()
    twin.fit({k: v[:4] for k, v in data.items()}, batch_size=2, shuffle=False, verbose=0)
    want = state_of(twin)
    for name, array in state_of(gan).items():
        if not name.startswith(("metrics", "skipped")):
            np.testing.assert_array_equal(array, want[name], err_msg=name)


@swaps_averages
def test_averages_that_are_swapped_in_can_be_painted_with_and_saved(tmp_path):
    gan = tiny_gan(generator_optimizer=keras.optimizers.SGD(0.01, use_ema=True, ema_momentum=0.5))
    data = tiny_batch()

    def paint_and_save(epoch, logs):
        gan.generate(data["labels"])
        gan.save(tmp_path / "gan.keras")

    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    then = keras.callbacks.LambdaCallback(on_epoch_end=paint_and_save)
    gan.fit(data, epochs=1, verbose=0, callbacks=[swap, then])
    twin = keras.models.load_model(tmp_path / "gan.keras")
    for mine, theirs in zip(gan.generator_variables, twin.generator_variables, strict=True):
        np.testing.assert_array_equal(mine, theirs)
