"""The smallest possible GAN, for tests of the code around it.

It is dense: label patterns make up a third of the operations of a step, and have their own tests.
On TensorFlow, tracing a step takes a fifth of the time that it takes with a `SPADEGenerator`.
"""

import keras
import numpy as np
from support.backends import EAGERLY
from support.tiny_generator import TinyGenerator

from keras_spade import GauGAN, MultiScaleDiscriminator

SHAPE = (32, 32, 3)


def tiny_gan(seed=3, latent_dim=2, dtype=None, generator=TinyGenerator, **arguments):
    """A compiled GAN, always with the same weights."""
    keras.utils.set_random_seed(0)
    common = {"num_classes": 3, "image_shape": SHAPE, "dtype": dtype, "modulation": "dense"}
    gan = GauGAN(
        generator(**common, latent_dim=latent_dim),
        MultiScaleDiscriminator(**common, base_filters=1, num_scales=1, num_layers=2),
        seed=seed,
    )
    gan.compile(**{"perceptual_loss": None, "run_eagerly": EAGERLY, **arguments})
    return gan


def tiny_batch(samples=2, seed=0):
    """Arrays of labels and images."""
    rng = np.random.default_rng(seed)
    return {
        "labels": np.kron(rng.integers(0, 3, (samples, 4, 4)), np.ones((8, 8), int)),
        "image": rng.uniform(-1, 1, (samples, *SHAPE)).astype("float32"),
    }


def state_of(gan):
    """The complete state of training, as arrays by name."""
    return {
        f"{group}/{i}": np.array(keras.ops.convert_to_numpy(variable))
        for group, variables in gan.state_variables().items()
        for i, variable in enumerate(variables)
    }
