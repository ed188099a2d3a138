"""Moving averages of the weights, with Keras' own optimizers and callbacks."""

import keras
import numpy as np
import pytest
from support.backends import EAGERLY, swaps_averages
from support.tiny_gan import tiny_batch, tiny_gan

from keras_spade.exporting import Export
from keras_spade.optimizers import BiasCorrectedAdam

MOMENTUM = 0.6


@pytest.fixture
def trained():
    """A GAN after three steps, and the averages of its generator's weights by the formula."""
    optimizer = BiasCorrectedAdam(1e-2, use_ema=True, ema_momentum=MOMENTUM)
    gan = tiny_gan(generator_optimizer=optimizer)
    averages = None
    for seed in range(3):
        gan.train_on_batch(tiny_batch(seed=seed))
        weights = [np.array(w) for w in gan.generator_variables]
        # The average begins with the weights after the first step.
        averages = averages or weights
        averages = [
            MOMENTUM * average + (1 - MOMENTUM) * weight
            for average, weight in zip(averages, weights, strict=True)
        ]
    return gan, averages


def assert_close(variables, arrays, limit=1e-6):
    for variable, array in zip(variables, arrays, strict=True):
        np.testing.assert_allclose(variable, array, atol=limit)


def arrays_of(variables):
    return [np.array(v) for v in variables]


def test_a_copy_has_the_averages(trained):
    gan, averages = trained
    weights, statistics = arrays_of(gan.generator_variables), arrays_of(gan.statistics)
    copy = gan.averaged()
    assert_close(copy.generator_variables, averages)
    assert max(np.abs(a - w).max() for a, w in zip(averages, weights, strict=True)) > 1e-3
    for mine, theirs in zip(statistics, copy.statistics, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for mine, theirs in zip(weights, gan.generator_variables, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    labels, latent = tiny_batch()["labels"], np.ones((1, 2))
    assert not np.array_equal(
        copy.generate(labels, latent=latent), gan.generate(labels, latent=latent)
    )


def test_averages_that_were_not_loaded_are_missed(tmp_path):
    gan = tiny_gan(generator_optimizer=BiasCorrectedAdam(use_ema=True))
    gan.save(tmp_path / "gan.keras")
    gan.averaged().save(tmp_path / "averages.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras", compile=False)
    for write in (loaded.export, loaded.save_to_preset):
        with pytest.raises(ValueError, match="holds averages of its weights, which are loaded"):
            write(tmp_path / "a")
    loaded.save_to_preset(tmp_path / "weights", averaged=False)
    averages = keras.models.load_model(tmp_path / "averages.keras", compile=False)
    averages.save_to_preset(tmp_path / "averages")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("gan.keras", "averages.keras", "weights", "averages")
    }


@pytest.mark.slow_on("tensorflow")
def test_exports_have_the_averages(trained, tmp_path, monkeypatch):
    gan, averages = trained
    exported = []
    monkeypatch.setattr(Export, "write", lambda self, generator: exported.append(generator))
    for averaged in ("auto", True, False):
        gan.export(tmp_path / "a", averaged=averaged)
    assert exported[2] is gan.generator
    for generator in exported[:2]:
        assert_close(generator.trainable_variables, averages)
    with pytest.raises(ValueError, match="`averaged` must be True, False or 'auto', got 'yes'"):
        gan.export(tmp_path / "a", averaged="yes")
    copy = gan.averaged()
    copy.export(tmp_path / "a")
    assert exported[3] is copy.generator
    with pytest.raises(ValueError, match="the generator's optimizer keeps no averages"):
        copy.export(tmp_path / "a", averaged=True)


@pytest.mark.slow_on("tensorflow")
@swaps_averages
def test_files_saved_while_averages_are_in_the_model_know_it(tmp_path):
    gan = tiny_gan(generator_optimizer=BiasCorrectedAdam(1e-2, use_ema=True, ema_momentum=MOMENTUM))
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    path = str(tmp_path / "{epoch}.keras")
    gan.fit(
        tiny_batch(), epochs=3, verbose=0, callbacks=[swap, keras.callbacks.ModelCheckpoint(path)]
    )
    # After the first step, average and weight are equal; after the second, they are not.
    twin = keras.models.load_model(path.format(epoch=2), compile=True)
    painted = arrays_of(twin.generator_variables)
    raw = twin.generator_optimizer._model_variables_moving_average
    assert max(np.abs(np.array(a) - w).max() for a, w in zip(raw, painted, strict=True)) > 1e-3
    for array, variable in zip(painted, twin.averaged().generator_variables, strict=True):
        np.testing.assert_array_equal(array, variable)


def test_averages_survive_files(trained, tmp_path):
    gan, averages = trained
    gan.save(tmp_path / "gan.keras")
    twin = keras.models.load_model(tmp_path / "gan.keras")
    assert_close(twin.averaged().generator_variables, averages)


def test_the_end_of_fit_leaves_the_weights(trained):
    gan, _ = trained
    kept = []

    class Keep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(arrays_of(self.model.generator_variables))

    gan.fit(tiny_batch(), epochs=1, verbose=0, callbacks=[Keep()])
    for mine, theirs in zip(kept[-1], gan.generator_variables, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow_on("tensorflow")
@swaps_averages
def test_keras_swaps_them_in_for_evaluation(trained):
    gan, _ = trained
    batch = tiny_batch()
    gan.compile(
        perceptual_loss=None, run_eagerly=EAGERLY, generator_optimizer=gan.generator_optimizer
    )
    copy = gan.averaged()
    copy.compile(perceptual_loss=None, run_eagerly=EAGERLY)
    copy.seed_generator.state.assign(np.array(gan.seed_generator.state))
    before = arrays_of(gan.generator_variables)
    want = copy.evaluate(batch, verbose=0, return_dict=True)
    swap = keras.callbacks.SwapEMAWeights()
    got = gan.evaluate(batch, verbose=0, return_dict=True, callbacks=[swap])
    assert got == pytest.approx(want, rel=1e-5, abs=1e-6)
    assert_close(gan.generator_variables, before)
    plain = gan.evaluate(batch, verbose=0, return_dict=True)
    assert plain != pytest.approx(want, rel=1e-5, abs=1e-6)


def test_without_averages_there_is_no_copy():
    gan = tiny_gan()
    with pytest.raises(ValueError, match="keeps no averages"):
        gan.averaged()
    optimizer = BiasCorrectedAdam(use_ema=True)
    fresh = tiny_gan(generator_optimizer=optimizer)
    assert_close(fresh.averaged().generator_variables, arrays_of(fresh.generator_variables), 0)
