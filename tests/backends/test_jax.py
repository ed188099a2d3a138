"""Keras' loop on JAX takes the variables out of the model while it trains."""

import keras
import numpy as np
import pytest
from support.backends import only_on, swaps_averages
from support.tiny_gan import state_of, tiny_batch, tiny_gan

from keras_spade.callbacks import BackupAndRestore

pytestmark = only_on("jax", "elsewhere variables stay where they are")


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
