"""Images with any number of channels, from fit to pictures."""

import keras
import numpy as np
import pytest
from support.backends import EAGERLY
from support.tiny_generator import TinyGenerator

from keras_spade import GauGAN, MultiScaleDiscriminator, StyleEncoder
from keras_spade.losses import PerceptualLoss


def gan_of(channels):
    """An uncompiled GAN with an encoder, for images with the given number of channels."""
    shape = (32, 32, channels)
    return GauGAN(
        TinyGenerator(3, shape, latent_dim=2),
        MultiScaleDiscriminator(3, shape, base_filters=1, num_scales=1, num_layers=2),
        StyleEncoder(shape, latent_dim=2, base_filters=1, resize_to=(32, 96)),
        seed=0,
    )


@pytest.mark.parametrize("channels", [1, 4])
def test_trains_and_paints_in_the_style_of_an_image(channels):
    gan, rng = gan_of(channels), np.random.default_rng(0)
    gan.compile(perceptual_loss=None, run_eagerly=EAGERLY)
    image = rng.integers(0, 256, (2, 32, 32, channels)).astype("uint8")
    batch = {"labels": rng.integers(0, 3, (2, 32, 32)), "image": image}
    assert np.isfinite(list(gan.train_on_batch(batch, return_dict=True).values())).all()
    painted = gan.generate(batch["labels"], style_image=image, seed=7)
    assert painted.shape == image.shape and painted.dtype == np.uint8
    floats = (image / 127.5 - 1).astype("float32")
    mean, log_variance = map(keras.ops.convert_to_numpy, gan.encoder(floats))
    noise = keras.ops.convert_to_numpy(keras.random.normal((2, 2), seed=7))
    latent = mean + np.exp(0.5 * log_variance) * noise
    again = gan.generate(batch["labels"], latent=latent)
    assert np.abs(painted.astype(int) - again).max() <= 1
    with pytest.raises(ValueError, match=rf"`style_image` must .*, {channels}\), got .*, 3\)"):
        gan.generate(batch["labels"], style_image=np.zeros((2, 32, 32, 3), "uint8"))


@pytest.mark.parametrize("channels", [2, 4, 13])
def test_perceptual_losses_of_other_channels_are_refused_at_compile(channels, monkeypatch):
    gan = gan_of(channels)
    with pytest.raises(ValueError, match=f"`perceptual_loss`: VGG19 .* {channels}. Turn it off"):
        gan.compile()
    monkeypatch.setattr(PerceptualLoss, "__init__", lambda self: None)
    with pytest.raises(ValueError, match=f"`perceptual_loss`: VGG19 .* {channels}. Turn it off"):
        gan.compile(perceptual_loss=PerceptualLoss())
    gan.compile(perceptual_loss=lambda fake, real: keras.ops.mean(fake - real))
    gan.compile(perceptual_weight=0)
