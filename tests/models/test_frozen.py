"""Frozen parts are not trained, do not drift, and stay frozen in copies and files."""

import json
from functools import partial

import keras
import numpy as np
import pytest
from support.backends import EAGERLY
from support.tiny_gan import state_of, tiny_batch, tiny_gan

from keras_spade import GauGAN, SPADEGenerator, StyleEncoder
from keras_spade.callbacks import BackupAndRestore
from keras_spade.optimizers import BiasCorrectedAdam

# The weights that `freeze` freezes, by the beginnings of their paths.
FROZEN = ("head_0/", "up_3/conv_0/", "up_2/norm_0/gamma/", "scale_0_conv_0/", "conv_0/", "mean/")


def tiny_gan_with_encoder():
    generator = partial(SPADEGenerator, base_filters=2, hidden_filters=2)
    gan = tiny_gan(generator=generator)
    encoder = StyleEncoder((32, 32, 3), 2, base_filters=2, resize_to=(128, 64), norm="batch")
    return GauGAN(gan.generator, gan.discriminator, encoder, seed=3)


def freeze(gan):
    """One block, one layer, one sublayer, and layers of the other networks."""
    generator = gan.generator
    generator.get_layer("head_0").trainable = False
    generator.get_layer("up_3").conv_0.trainable = False
    generator.get_layer("up_2").norm_0.gamma.trainable = False
    gan.discriminator.get_layer("scale_0_conv_0").trainable = False
    gan.encoder.get_layer("conv_0").trainable = False
    gan.encoder.get_layer("mean").trainable = False


def compile_with_averages(gan):
    optimizer = BiasCorrectedAdam(1e-2, use_ema=True, ema_momentum=0.6)
    gan.compile(generator_optimizer=optimizer, perceptual_loss=None, run_eagerly=EAGERLY)


def weights_of(gan):
    return {w.path: np.array(keras.ops.convert_to_numpy(w)) for w in gan.weights}


def moved(before, gan):
    now = weights_of(gan)
    assert now.keys() == before.keys()
    return {path for path in before if not np.array_equal(before[path], now[path])}


def frozen(gan):
    return [w.path for w in gan.weights if not w.trainable]


@pytest.fixture(scope="module")
def case():
    """A partly frozen GAN after two steps, and its weights before."""
    gan = tiny_gan_with_encoder()
    freeze(gan)
    compile_with_averages(gan)
    before = weights_of(gan)
    gan.fit(tiny_batch(), epochs=2, verbose=0)
    return gan, before


def test_what_is_frozen_stays_and_the_rest_moves(case):
    gan, before = case
    of_frozen = {path for path in before if path.startswith(FROZEN)}
    assert any("moving_mean" in path for path in of_frozen)
    assert {path.rpartition("/")[2] for path in of_frozen} >= {"kernel", "u", "v"}
    went = moved(before, gan)
    assert went & of_frozen == set()
    # A bias in front of a norm has no gradient.
    rest = {path for path in set(before) - of_frozen - went if not path.endswith("bias")}
    assert rest == set()


def test_optimizers_have_state_for_what_is_trained_only(case):
    gan, before = case
    trained = {w.path for w in gan.weights if w.trainable}
    statistics = ("/u", "/v", "moving_mean", "moving_variance")
    wanted = {p for p in before if not p.startswith(FROZEN) and not p.endswith(statistics)}
    assert trained == wanted
    counts = [len(part.trainable_variables) for part in (gan.generator, gan.encoder)]
    # Steps and rate; both moments, and the average.
    assert len(gan.generator_optimizer.variables) == 2 + 3 * sum(counts)
    assert len(gan.discriminator_optimizer.variables) == 2 + 2 * len(
        gan.discriminator.trainable_variables
    )


def test_all_of_it_comes_back_from_a_file(case, tmp_path):
    gan, _ = case
    gan.save(tmp_path / "gan.keras")
    back = keras.models.load_model(tmp_path / "gan.keras")  # A warning would be an error.
    assert frozen(back) == frozen(gan)
    theirs, ours = state_of(back), state_of(gan)
    assert theirs.keys() == ours.keys() and int(back.generator_optimizer.iterations) == 2
    for name, value in ours.items():
        if not name.startswith("metrics"):
            np.testing.assert_array_equal(theirs[name], value, name)


def test_copies_are_frozen_alike(case, tmp_path):
    gan, _ = case
    for network in (gan.generator, gan.discriminator, gan.encoder):
        config = json.loads(json.dumps(network.get_config()))
        assert frozen(type(network).from_config(config)) == frozen(network)
        clone = keras.models.clone_model(network)  # Keras gives its weights other paths.
        assert [w.trainable for w in clone.weights] == [w.trainable for w in network.weights]
        folded = network.fold_spectral_norm()
        gone = ("/u", "/v")
        wanted = [p.replace("/conv/", "/") for p in frozen(network) if not p.endswith(gone)]
        assert frozen(folded) == wanted
    assert frozen(GauGAN.from_config(gan.get_config())) == frozen(gan)
    assert frozen(keras.models.clone_model(gan)) == frozen(gan)
    gan.save_weights(tmp_path / "gan.weights.h5")
    twin = tiny_gan_with_encoder()
    freeze(twin)
    compile_with_averages(twin)
    twin.load_weights(tmp_path / "gan.weights.h5")
    assert frozen(twin) == frozen(gan) and moved(weights_of(gan), twin) == set()


@pytest.mark.slow_on("tensorflow")
def test_averages_are_of_what_is_trained(case):
    gan, before = case
    copy = gan.averaged()
    assert frozen(copy) == frozen(gan)
    averages = dict(
        zip(
            [w.path for w in gan.generator_variables],
            gan.generator_optimizer._model_variables_moving_average,
            strict=True,
        )
    )
    for path, value in weights_of(copy).items():
        wanted = averages.get(path, weights_of(gan)[path])
        np.testing.assert_array_equal(value, wanted, path)
    assert not averages.keys() & {path for path in before if path.startswith(FROZEN)}


@pytest.mark.slow_on("tensorflow")
def test_backups_are_of_what_is_trained(case, tmp_path):
    gan, _ = case
    twin = tiny_gan_with_encoder()
    freeze(twin)
    compile_with_averages(twin)
    backup = BackupAndRestore(tmp_path)
    twin.fit(tiny_batch(), epochs=1, verbose=0, callbacks=[backup])
    other = tiny_gan_with_encoder()
    freeze(other)
    compile_with_averages(other)
    BackupAndRestore(tmp_path).restore(other)
    theirs = state_of(other)
    for name, value in state_of(twin).items():
        if not name.startswith("metrics"):
            np.testing.assert_array_equal(theirs[name], value, name)
    # The same shapes, but other weights.
    another = tiny_gan_with_encoder()
    freeze(another)
    another.generator.get_layer("head_0").trainable = True
    another.generator.get_layer("middle_0").trainable = False
    compile_with_averages(another)
    with pytest.raises(ValueError, match="other frozen weights"):
        BackupAndRestore(tmp_path).restore(another)


@pytest.mark.slow_on("tensorflow")
@pytest.mark.parametrize("which", ["generator", "discriminator", "encoder", "gan", "constructor"])
def test_whole_networks(which):
    gan = tiny_gan_with_encoder()
    if which == "constructor":
        gan = GauGAN(gan.generator, gan.discriminator, gan.encoder, seed=3, trainable=False)
    elif which == "gan":
        gan.trainable = False
    else:
        getattr(gan, which).trainable = False
    parts = {n: getattr(gan, n) for n in ("generator", "discriminator", "encoder")}
    still = {w.path for n, p in parts.items() if not p.trainable for w in p.weights}
    assert len(still) > 6
    gan.compile(perceptual_loss=None, run_eagerly=EAGERLY)
    before = weights_of(gan)
    gan.fit(tiny_batch(), verbose=0)
    went = moved(before, gan)
    assert went & still == set() and (went or which in ("gan", "constructor"))
    assert frozen(GauGAN.from_config(gan.get_config())) == frozen(gan)


def test_after_compile_one_compiles_again(tmp_path):
    gan = tiny_gan()
    gan.fit(tiny_batch(), verbose=0)
    gan.generator.get_layer("head_0").trainable = False
    for train in (
        lambda: gan.fit(tiny_batch(), verbose=0),
        lambda: gan.train_on_batch(tiny_batch()),
    ):
        with pytest.raises(ValueError, match="call `compile` again, with new optimizers"):
            train()
    gan.save(tmp_path / "gan.keras")
    back = keras.models.load_model(tmp_path / "gan.keras")  # A warning would be an error.
    theirs = state_of(back)
    for name, value in state_of(gan).items():
        if not name.startswith("metrics"):
            np.testing.assert_array_equal(theirs[name], value, name)
    with pytest.raises(ValueError, match="call `compile` again"):
        back.train_on_batch(tiny_batch())
    back.compile(perceptual_loss=None, run_eagerly=EAGERLY)
    before = weights_of(back)
    back.train_on_batch(tiny_batch())
    went = moved(before, back)
    assert went and not any(path.startswith("head_0/") for path in went)
