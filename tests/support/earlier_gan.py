"""The GAN in files written by earlier versions; see `reference/make_golden_files.py`."""

import hashlib

import keras
import numpy as np

from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder
from keras_spade.optimizers import BiasCorrectedAdam

SHAPE = (32, 32, 3)
CLASSES = 3


def new_gan(generator_optimizer):
    """A compiled GAN, always with the same weights."""
    keras.utils.set_random_seed(0)
    common = {
        "num_classes": CLASSES,
        "image_shape": SHAPE,
        "void_class": True,
        "instance_edges": True,
    }
    gan = GauGAN(
        SPADEGenerator(**common, latent_dim=2, base_filters=1, hidden_filters=2),
        MultiScaleDiscriminator(**common, base_filters=1, num_scales=2, num_layers=2),
        StyleEncoder(SHAPE, 2, base_filters=1, resize_to=(96, 96)),
        seed=3,
    )
    gan.compile(generator_optimizer, BiasCorrectedAdam(4e-3), perceptual_loss=None)
    return gan


def samples():
    """Four samples as arrays, with a border of void in the label maps."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, CLASSES, (4, 4, 4))
    labels = np.kron(blocks, np.ones((8, 8), int)).astype("int32")
    labels[:, :3] = CLASSES
    return {
        "labels": labels,
        "instances": labels + 7,
        "image": rng.uniform(-1, 1, (4, *SHAPE)).astype("float32"),
    }


def state_of(gan):
    """Weights and optimizers of a GAN: checksums of their bits, and their sizes."""
    groups = {
        "weights": gan.weights,
        "generator_optimizer": gan.generator_optimizer.variables,
        "discriminator_optimizer": gan.discriminator_optimizer.variables,
    }
    state = {}
    for name, variables in groups.items():
        values = [np.ascontiguousarray(keras.ops.convert_to_numpy(v)) for v in variables]
        bits = [hashlib.sha256(value.tobytes()).digest()[:8] for value in values]
        state[f"{name}/bits"] = np.frombuffer(b"".join(bits), "uint64")
        state[f"{name}/sizes"] = np.array([np.sum(np.abs(v), dtype="float64") for v in values])
    return state


def paint(gan):
    """Pictures as floats, for given latents."""
    inputs = {k: v for k, v in samples().items() if k != "image"}
    latent = np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2)
    return gan.predict({**inputs, "latent": latent}, verbose=0)
