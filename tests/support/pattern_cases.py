"""Label maps of every kind, and comparisons of layers that should be equal."""

import keras
import numpy as np
from support.golden_files import relative_error
from support.harness import gradients, randomize, to_numpy

KINDS = ("regions", "pixels", "flat", "noise", "outside")


def label_map(kind, shape, classes, rng):
    """Integer labels of one kind."""
    batch, height, width = shape
    if kind == "flat":
        return np.full(shape, rng.integers(classes), "int32")
    if kind == "noise":
        return rng.integers(0, classes, shape).astype("int32")
    if kind == "outside":
        return rng.choice([-7, -1, 0, classes - 1, classes, classes + 1, 2**31 - 1], shape).astype(
            "int32"
        )
    if kind == "pixels":
        labels = np.zeros(shape, "int32")
        count = min(3, height * width)
        for image in labels.reshape(batch, -1):
            image[rng.choice(image.size, count, replace=False)] = rng.integers(1, classes, count)
        return labels
    rows, columns = np.mgrid[:height, :width]
    labels = []
    for _ in range(batch):
        centers = rng.uniform(0, [[height], [width]], (2, 5))
        distance = (rows[..., None] - centers[0]) ** 2 + (columns[..., None] - centers[1]) ** 2
        labels.append(rng.integers(0, classes, 5)[np.argmin(distance, -1)])
    return np.stack(labels).astype("int32")


def randomize_all(layer, seed=0):
    """Random weights, and moving statistics that are not 0 and 1."""
    randomize(layer, seed)
    rng = np.random.default_rng(seed)
    for weight in layer.non_trainable_weights:
        if "moving_mean" in weight.path:
            weight.assign(rng.standard_normal(weight.shape))
        elif "moving_variance" in weight.path:
            weight.assign(rng.uniform(0.5, 2.0, weight.shape))


def assert_equal_layers(layers, x, *others, idle=(), limits=(1e-5, 1e-4), **kwargs):
    """Checks the second layer against the first, the oracle, from the same weights.

    Outputs, and weights that a call updates, agree to the first of `limits`, gradients of `x` and
    all weights to the second. The true gradient of weights in `idle` is zero.
    """
    results = []
    shapes = [_build(layer, x, *others) for layer in layers]
    randomize_all(layers[0])
    layers[1].set_weights(layers[0].get_weights())
    for layer, shape in zip(layers, shapes, strict=True):
        seed = np.random.default_rng(1).standard_normal(shape).astype("float32")
        results.append(gradients(layer, x, *others, seed=seed, **kwargs))
    (want, want_x, wants), (got, got_x, gots) = results
    assert difference(got, want) < limits[0]
    if want_x is not None:
        assert difference(got_x, want_x) < limits[1]
    for weight, ours, theirs in zip(layers[0].trainable_weights, gots, wants, strict=True):
        if not any(part in weight.path for part in idle):
            assert difference(ours, theirs) < limits[1], weight.path
    for ours, theirs in zip(layers[1].weights, layers[0].weights, strict=True):
        assert difference(ours, theirs) < limits[0], ours.path


def _build(layer, *inputs):
    """Builds a layer from symbolic inputs, without compilation; returns its output shape."""
    symbols = [None if a is None else keras.KerasTensor(a.shape, dtype=a.dtype) for a in inputs]
    return layer(*symbols).shape


def difference(got, want):
    """The difference relative to the largest expected value, or to 1 if all are zero."""
    got, want = to_numpy(got), to_numpy(want)
    return relative_error(got, want) if np.any(want) else np.max(np.abs(got))
