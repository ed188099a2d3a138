import numpy as np
import pytest
from support.backends import EAGERLY
from support.tiny_generator import TinyGenerator

from keras_spade import GauGAN, MultiScaleDiscriminator, StyleEncoder

SHAPE = (32, 64, 3)


@pytest.fixture
def make_gan():
    """Builds small models, dense for speed; with an encoder, the latent size is 8."""

    def make(
        encoder=False, compiled=True, seed=3, latent_dim=None, run_eagerly=EAGERLY, **conditioning
    ):
        conditioning = {
            "num_classes": 5,
            "image_shape": SHAPE,
            "modulation": "dense",
            **conditioning,
        }
        latent_dim = 8 if encoder else latent_dim
        gan = GauGAN(
            TinyGenerator(**conditioning, latent_dim=latent_dim),
            MultiScaleDiscriminator(**conditioning, base_filters=2, num_layers=2),
            StyleEncoder(SHAPE, 8, base_filters=2, resize_to=(128, 128)) if encoder else None,
            seed=seed,
        )
        if compiled:
            gan.compile(perceptual_loss=None, run_eagerly=run_eagerly)
        return gan

    return make


@pytest.fixture
def batch():
    """Six samples with void, instances, and a photograph each."""
    rng = np.random.default_rng(0)
    return {
        "labels": rng.integers(0, 5, (6, 32, 64)).astype("int32"),
        "instances": rng.integers(0, 3, (6, 32, 64)).astype("int32"),
        "image": rng.uniform(-1, 1, (6, *SHAPE)).astype("float32"),
    }
