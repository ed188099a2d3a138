"""The GauGAN of keras.io's examples, against its formulas in NumPy."""

import inspect

import keras
import numpy as np
import pytest
from support.backends import only_on
from support.plain_tiny import convolve, weights

from examples.paper.keras_io.gaugan import SPADE, KerasIoGauGAN, build_generator

pytestmark = only_on("tensorflow", "the example's step is TensorFlow's")
PALETTE = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 255]], "uint8")


def test_spade_has_no_one_and_normalises_by_every_batch():
    rng = np.random.default_rng(0)
    x = rng.normal(3.0, 2.0, (2, 4, 4, 5)).astype("float32")
    mask = np.eye(3, dtype="float32")[rng.integers(0, 3, (2, 4, 4))]
    layer = SPADE(5)
    got = layer(x, mask)
    hidden = np.maximum(convolve(mask, *weights(layer.conv)), 0)
    gamma, beta = (convolve(hidden, *weights(c)) for c in (layer.conv_gamma, layer.conv_beta))
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    want = gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta
    np.testing.assert_allclose(got, want, atol=1e-5)
    assert hidden.shape[-1] == 128


def test_the_generator_of_the_example():
    generator = build_generator((256, 256, 12), filters=1, latent_dim=2)
    assert 64 * generator.get_layer(index=1).units == 16384  # With the example's width, 64.
    widths = [64 * layer.filters for layer in generator.layers if hasattr(layer, "spade_1")]
    assert widths == [1024, 1024, 1024, 512, 256, 128]
    assert inspect.signature(build_generator).parameters["filters"].default == 64
    assert generator.output.shape[1:] == (256, 256, 3)


@pytest.fixture(scope="module")
def case():
    """A model with zero latents, its weights before and after a step, and the step's losses."""
    keras.utils.set_random_seed(0)
    gan = KerasIoGauGAN((64, 64, 3), PALETTE, 1, 1, 1, latent_dim=4)
    for weight, value in zip(gan.encoder.trainable_variables[-4:], (0, 0, 0, -99), strict=True):
        weight.assign(np.full(weight.shape, value))
    gan.compile(lambda fake, real: keras.ops.mean(keras.ops.square(fake - real)), 3.0)
    rng = np.random.default_rng(1)
    batch = {
        "labels": np.kron(rng.integers(0, 3, (2, 8, 8)), np.ones((8, 8), "int32")),
        "image": rng.uniform(-1, 1, (2, 64, 64, 3)).astype("float32"),
    }
    segmap = (PALETTE[batch["labels"]] / 127.5 - 1).astype("float32")
    one_hot = np.eye(3, dtype="float32")[batch["labels"]]
    fake = np.array(gan.generator([np.zeros((2, 4), "float32"), one_hot]))
    logits = [np.array(gan.discriminator([segmap, x])[-1]) for x in (fake, batch["image"])]
    networks = (gan.generator, gan.discriminator, gan.encoder)
    before = [network.get_weights() for network in networks]
    gan.run_eagerly = True
    losses = gan.train_on_batch(batch, return_dict=True)
    return gan, before, [n.get_weights() for n in networks], losses, logits, (fake, batch["image"])


def test_all_but_the_encoder_are_trained(case):
    _, before, after, *_ = case
    moved = [
        [not np.array_equal(x, y) for x, y in zip(one, other, strict=True)]
        for one, other in zip(before, after, strict=True)
    ]
    assert np.mean(moved[0]) > 0.9 and all(moved[1]) and not any(moved[2])


def test_losses_by_hand(case):
    _, _, _, losses, (fake, real), (painted, image) = case
    hinges = np.maximum(1 + fake, 0).mean() + np.maximum(1 - real, 0).mean()
    assert float(losses["discriminator"]) == pytest.approx(0.5 * hinges, rel=1e-5)
    distance = np.square(painted - image).mean()
    assert float(losses["perceptual"]) == pytest.approx(3 * distance, rel=1e-4)
    # -0.5 * 0.1 * sum over 2 x 4 of (1 - 99 - 0 - e^-99)
    assert float(losses["kl"]) == pytest.approx(39.2, rel=1e-5)
    assert fake.shape == (2, 5, 5, 1)


def test_pictures_of_a_batch_depend_on_its_other_maps(case):
    gan, *_ = case
    labels = np.zeros((2, 64, 64), "int32")
    labels[1, :32] = 1
    alone, together = np.array(gan.paint(labels[:1], 0)), np.array(gan.paint(labels, 0))
    assert np.abs(alone[0] - together[0]).max() > 1e-3
