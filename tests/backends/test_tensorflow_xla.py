"""On TensorFlow, steps compiled with XLA equal those run without it."""

import keras
import numpy as np
import pytest
from support.backends import only_on
from support.tiny_gan import SHAPE, state_of, tiny_batch, tiny_gan
from support.tiny_generator import TinyGenerator

from keras_spade import GauGAN, StyleEncoder
from keras_spade.callbacks import BackupAndRestore
from keras_spade.losses import PerceptualLoss

pytestmark = only_on("tensorflow", "JAX compiles whole steps, PyTorch none")


class Losses(keras.callbacks.Callback):
    """The losses after each step, or after each execution of several steps."""

    def on_train_begin(self, logs=None):
        self.rows = []

    def on_train_batch_end(self, batch, logs=None):
        self.rows.append([logs[name] for name in sorted(logs)])


def trained(gan, data, *callbacks, **arguments):
    losses = Losses()
    arguments = {"batch_size": 2, "shuffle": False, "verbose": 0, **arguments}
    gan.fit(data, callbacks=[losses, *callbacks], **arguments)
    return np.array(losses.rows)


def with_a_bad_image():
    """Four batches; an image in the third is not finite."""
    data = tiny_batch(8)
    data["image"] = data["image"].astype("float64")
    data["image"][5, 3, 4, 1] = np.inf
    return data


@pytest.mark.slow
def test_several_steps_at_once_and_a_resumed_training(tmp_path):
    """In float32, with label patterns: compiled training with and without an interruption."""
    data = tiny_batch(8)

    def patterns(**arguments):
        return TinyGenerator(**arguments | {"modulation": "auto"})

    kwargs = {"generator": patterns, "run_eagerly": False}
    want = tiny_gan(**kwargs)
    losses = trained(want, data, epochs=2)
    one = tiny_gan(**kwargs, jit_compile=True, steps_per_execution=2)
    got = [trained(one, data, BackupAndRestore(tmp_path))]
    other = tiny_gan(seed=9, **kwargs, jit_compile=True, steps_per_execution=2)
    got.append(trained(other, data, BackupAndRestore(tmp_path), epochs=2))
    np.testing.assert_allclose(np.concatenate(got), losses[1::2], rtol=1e-5, atol=1e-5)


def test_under_a_strategy_a_warning_says_that_nothing_is_compiled():
    import tensorflow as tf

    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        gan = tiny_gan(run_eagerly=False, jit_compile=True)
    with pytest.warns(UserWarning, match="under a `tf.distribute` strategy"):
        gan.make_train_function()
    assert not gan.jit_compile


@pytest.fixture(scope="module")
def both():
    """A compiled and an eager GAN after the same four steps, and the losses of both."""
    keras.config.set_floatx("float64")
    try:
        found = []
        for jit_compile in (True, False):
            arguments = {"run_eagerly": not jit_compile, "jit_compile": jit_compile}
            gan = tiny_gan(dtype="float64", **arguments)
            assert gan.jit_compile == jit_compile
            with pytest.warns(RuntimeWarning, match="step 3: .* images contain NaN or inf"):
                found.append((gan, trained(gan, with_a_bad_image())))
        yield found
    finally:
        keras.config.set_floatx("float32")


def test_losses_weights_noise_and_skipped_steps_are_the_same(both):
    (one, losses), (other, want) = both
    np.testing.assert_allclose(losses, want, rtol=1e-10, atol=1e-10)
    mine, theirs = state_of(one), state_of(other)
    for name, value in theirs.items():
        np.testing.assert_allclose(mine[name], value, rtol=1e-10, atol=1e-10, err_msg=name)
    assert one.skipped_steps.total_number() == 1
    assert int(one.generator_optimizer.iterations) == 3


def test_what_the_checks_refuse_changes_nothing(both):
    gan, _ = both[0]
    before = state_of(gan)
    wrong = tiny_batch()
    wrong["labels"][0, 0, 0] = 3
    beyond = tiny_batch()
    beyond["image"] = beyond["image"].astype("float64") * 100
    for batch, message in ((wrong, r"ids 0\.\.2.* 0.* 3"), (beyond, r"floats in \[-1, 1\]")):
        with pytest.raises(ValueError, match=message):
            trained(gan, batch)
    after = state_of(gan)
    changed = [k for k in before if not np.array_equal(before[k], after[k])]
    assert not [k for k in changed if not k.startswith("metrics")]


@pytest.mark.slow
def test_evaluations_and_pictures_are_the_same(both):
    data = tiny_batch()
    data["image"] = data["image"].astype("float64")
    found = []
    for gan, _ in both:
        losses = gan.evaluate(data, batch_size=2, verbose=0)
        found.append((losses, gan.predict(data["labels"], batch_size=2, verbose=0)))
        found[-1] += (gan.generate(data["labels"], seed=7),)
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-10)
    gan, _ = both[0]
    with pytest.raises(ValueError, match=r"ids 0\.\.2"):
        gan.predict(data["labels"] + 1, batch_size=2, verbose=0)


def small_perceptual_loss():
    """Of two convolutions with fixed weights."""
    image = x = keras.Input(SHAPE)
    taps = []
    for seed in range(2):
        kernels = keras.initializers.RandomNormal(stddev=0.2, seed=seed)
        options = {"padding": "same", "activation": "relu", "kernel_initializer": kernels}
        x = keras.layers.Conv2D(4, 3, 2, **options, dtype="float32")(x)
        taps.append(x)
    return PerceptualLoss(network=keras.Model(image, taps))


def trained_with_all_losses(dtype, jit_compile):
    """The losses of three steps, with an encoder that resizes photographs."""
    gan = tiny_gan(dtype=dtype)
    sizes = {"latent_dim": 2, "base_filters": 1, "resize_to": (80, 80)}
    encoder = StyleEncoder(SHAPE, **sizes, dtype=dtype)
    gan = GauGAN(gan.generator, gan.discriminator, encoder, seed=3)
    arguments = {"jit_compile": jit_compile, "run_eagerly": not jit_compile}
    gan.compile(perceptual_loss=small_perceptual_loss(), **arguments)
    assert gan.jit_compile == jit_compile
    return trained(gan, tiny_batch(6))


@pytest.mark.slow
@pytest.mark.parametrize(
    "dtype, tolerance", [("float32", 1e-5), ("mixed_bfloat16", 2e-2), ("mixed_float16", 2e-3)]
)
def test_encoder_perceptual_loss_and_sixteen_bits(dtype, tolerance):
    """In 16 bits, XLA rounds less often."""
    compiled, eager = (trained_with_all_losses(dtype, jit_compile) for jit_compile in (True, False))
    assert compiled.shape == (3, 6) and np.all(np.isfinite(eager))
    np.testing.assert_allclose(compiled, eager, rtol=tolerance, atol=tolerance)
