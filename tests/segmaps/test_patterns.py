"""Patterns compared with dense maps, on hand-made numbers."""

import keras
import numpy as np
import pytest
from keras import ops
from support.backends import BACKEND
from support.harness import to_numpy

from keras_spade.layers.feature_norm import Normalized
from keras_spade.segmaps import BoundedPatterns, Dense, LabelPatterns, Patterns

ROWS = np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]]])
INDEX = np.array([[[0, 2, 1], [2, 2, 0]]], "int32")
DTYPES = pytest.mark.parametrize("dtype", ["float32", "bfloat16"])


class Known:
    """A function with given rows and maps."""

    def __init__(self, rows, maps, dtype="float32"):
        self.rows = [ops.cast(row, dtype) for row in rows]
        self.maps = [ops.cast(x, dtype) for x in maps]

    def of_map(self, segmap):
        return self.maps

    def of_patterns(self, pixels, members):
        return self.rows


def both(dtype="float32"):
    """The same function as maps, as rows, and as rows some of which are pixels of maps."""
    nothing = np.zeros((0, 2))
    index, maps = ops.convert_to_tensor(INDEX), ROWS[:, INDEX]
    pixels = ops.convert_to_tensor(np.arange(6, dtype="int32").reshape(INDEX.shape))
    return [
        (Dense(None), Known([], maps, dtype)),
        (Patterns((), index, None), Known(ROWS, [], dtype)),
        (Patterns((), index + 1, None, Dense(None)), Known(ROWS[:, :1], ROWS[:, None], dtype)),
        (Patterns((), pixels, None, Dense(None)), Known([nothing] * 2, maps, dtype)),
    ]


def test_pixels_pick_their_rows():
    for segmap, function in both():
        for got, rows in zip(segmap.compute(function), ROWS, strict=True):
            np.testing.assert_array_equal(to_numpy(got), rows[INDEX])


@DTYPES
@pytest.mark.parametrize("norm", ["batch", "centred", "instance"])
def test_modulation_by_hand(norm, dtype):
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 4, (1, 2, 3, 2)).astype("float32")
    scale = np.array([0.5, 2.0], "float32")
    offset = np.array([-1.0, 4.0], "float32") if norm == "batch" else None
    want = (x * scale + (0 if offset is None else offset)) * ROWS[0][INDEX] + ROWS[1][INDEX]
    scale = scale.reshape(1, 1, 1, 2) if norm == "instance" else scale
    parts = (None if part is None else ops.convert_to_tensor(part) for part in (x, scale, offset))
    normalized = Normalized(*parts)
    for segmap, function in both(dtype):
        got = segmap.modulate(normalized, function)
        assert keras.backend.standardize_dtype(got.dtype) == dtype
        # Small integers and halves, exact in 16 bits except for the last.
        limit = {"float32": 0.0, "bfloat16": 2**-7}[dtype]
        np.testing.assert_allclose(to_numpy(got), want, rtol=limit)


@pytest.mark.parametrize("size", [(8, 6), (70, 64)])
def test_what_travels_between_layers_holds_everything(size):
    labels = np.random.default_rng(1).integers(0, 3, (1, *size))
    tensors = LabelPatterns(*size, 3)(labels)
    bounded = BACKEND == "jax" and size == (70, 64)
    assert ("fit" in tensors) == bounded
    again = (BoundedPatterns if bounded else Patterns).from_tensors(tensors).tensors()
    assert again.keys() == tensors.keys()
    assert all(again[name] is tensors[name] for name in tensors)
