"""A model for the painter whose pictures have contrast and depend on labels locally; servers."""

import contextlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.tiny_generator import TinyGenerator

from benchmarks.painting.static_host import running
from keras_spade import StyleEncoder
from keras_spade.painting import PaintingModel
from keras_spade.painting.server import make_server

SIZE = (64, 96)
# Largest distance of labels that affect a pixel of TinyGenerator's picture: its one block works at
# a quarter of the size, with two 3 x 3 convolutions in addition to a SPADE's two, and one more
# follows at full size. Each cell of 4 pixels shows the label of one of them.
REACH = 4 * (2 + 2) + 3 + 1


def contrasted(network, seed=1):
    """The network, with weights that paint pictures of high contrast."""
    rng = np.random.default_rng(seed)
    for weight in network.trainable_weights:
        kernel = len(weight.shape) > 1
        scale = (2 / np.prod(weight.shape[:-1])) ** 0.5 if kernel else 0.3
        weight.assign(scale * rng.standard_normal(weight.shape))
    return network


def painting_model(encoder=True, **options):
    """The smallest model with everything that the page supports."""
    options = {"void_class": True, "instance_edges": True, "latent_dim": 2} | options
    generator = contrasted(TinyGenerator(3, (*SIZE, 3), spectral_norm=False, **options))
    if encoder:
        encoder = StyleEncoder((72, 72, 3), 2, base_filters=1, resize_to=None, spectral_norm=False)
        return PaintingModel(generator, contrasted(encoder), title="tiny")
    return PaintingModel(generator, title="tiny")


def png(array, **options):
    """The bytes of a PNG."""
    file = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(file, "png", **options)
    return file.getvalue()


def huge_png():
    """A PNG of a few kilobytes that declares 100 megapixels."""
    return png(Image.new("1", (10_000, 10_000)))


@contextlib.contextmanager
def served(model, maps=()):
    """Serves the painter from a thread; yields its address."""
    server, address = make_server(model, maps, port=0)
    with running(server.run):
        yield address
        server.close()


def onnxruntime_web():
    """The folder `dist` of the npm package onnxruntime-web."""
    folder = os.environ.get("KERAS_SPADE_ONNXRUNTIME_WEB")
    if not folder or not Path(folder).is_dir():
        pytest.skip(
            "needs onnxruntime-web of npm: KERAS_SPADE_ONNXRUNTIME_WEB is not its folder dist"
        )
    return Path(folder)
