"""Generators to export, and the pictures that their files should paint."""

from unittest import mock

import keras
import numpy as np

from keras_spade import SPADEGenerator, SpectralNorm
from keras_spade.exporting import export
from keras_spade.exporting.painter import Painter

SIZE = (32, 32)


def make_generator(num_classes=4, **options):
    """A tiny generator with pictures of high contrast that are rarely black or white."""
    options = {"base_filters": 2, "hidden_filters": 3, "image_shape": (*SIZE, 3)} | options
    generator = SPADEGenerator(num_classes, **options)
    rng = np.random.default_rng(1)
    for weight in generator.trainable_weights:
        kernel = len(weight.shape) > 1
        scale = (2 / np.prod(weight.shape[:-1])) ** 0.5 if kernel else 0.1
        weight.assign(scale * rng.standard_normal(weight.shape))
    for layer in generator._flatten_layers():
        if isinstance(layer, SpectralNorm):
            kernel = keras.ops.convert_to_numpy(layer.kernel).astype("float64")
            v, _, u = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), full_matrices=False)
            layer.u.assign(u[0])
            layer.v.assign(v[:, 0])
    return generator


def make_inputs(generator, batch=2, size=SIZE):
    """Inputs for a generator: regions of labels, some edges, latents."""
    rng = np.random.default_rng(2)
    rows, columns = (-(-length // 8) for length in size)
    regions = np.kron(rng.integers(0, 4, (batch, rows, columns)), np.ones((8, 8), int))
    inputs = {
        "labels": regions[:, : size[0], : size[1]].astype("int32"),
        "edges": rng.integers(0, 2, (batch, *size)).astype("float32"),
        "segmap": rng.random((batch, *size, 4)).astype("float32"),
        "latent": rng.standard_normal((batch, generator.latent_dim or 1)).astype("float32"),
    }
    return {name: inputs[name] for name in generator.input}


def painted(generator, inputs):
    """The picture as floats, and as bytes rounded by NumPy."""
    floats = keras.ops.convert_to_numpy(generator(inputs)).astype("float64")
    assert floats.std() > 0.1
    return floats, np.clip(np.rint((floats + 1) * 127.5), 0, 255)


def assert_same(image, inputs, generator):
    """Asserts that a file paints the same as the generator, within 1 of 255."""
    _, want = painted(generator, inputs)
    assert image.dtype == np.uint8 and image.shape == want.shape
    difference = np.abs(image - want)
    assert difference.max() <= 1 and (difference > 0).mean() < 0.02


class PainterOfBoth(Painter):
    """Also returns the picture before rounding."""

    def __call__(self, inputs):
        return super().__call__(inputs) | {"floats": self.generator(inputs, training=False)}


def export_both(generator, path, **arguments):
    """Exports a file that returns `image` and `floats`, the picture before rounding."""
    with mock.patch.object(export, "Painter", PainterOfBoth):
        generator.export(path, verbose=False, **arguments)
