import re

import keras
import numpy as np
import pytest
from support.backends import BACKEND, compiled, only_on, sixty_four_bits
from support.golden_files import load_golden
from support.harness import to_numpy

from keras_spade.layers import nearest_resize
from keras_spade.segmaps.nearest_resize import is_integer


def golden_pairs():
    """(size_in, size_out, the source index of every output index)."""
    indices = load_golden("nearest_index").below("out/")
    return [(*map(int, re.findall(r"\d+", key)), want) for key, want in indices.items()]


def awkward_pairs():
    """Non-integer ratios at which a graph optimiser's reordering of x / a * b shows."""
    return [pair for pair in golden_pairs() if pair[0] in (18, 112, 224)]


def formula(size_in, size_out):
    """PyTorch's formula: the product with a float32 ratio, rounded down."""
    ratio = np.float32(size_in) / np.float32(size_out)
    index = np.floor(np.arange(size_out, dtype=np.float32) * ratio).astype(int)
    return np.minimum(index, size_in - 1)


def test_source_pixels_are_pytorchs():
    pairs = golden_pairs()
    assert len(pairs) == 16
    for size_in, size_out, want in pairs:
        assert len(want) == size_out
        columns = np.tile(np.arange(size_in), (1, 2, 1))
        got = to_numpy(nearest_resize(columns, 2, size_out))
        np.testing.assert_array_equal(got, np.tile(want, (1, 2, 1)), str((size_in, size_out)))
        rows = np.tile(np.arange(size_in, dtype="float32")[None, :, None, None], (1, 1, 2, 3))
        got = to_numpy(nearest_resize(rows, size_out, 2))
        np.testing.assert_array_equal(got, np.tile(want[:, None, None], (1, 1, 2, 3)))


@pytest.mark.parametrize("jit", [False, True])
def test_a_compiled_graph_picks_the_same(jit):
    for size_in, size_out, want in awkward_pairs():
        resize = compiled(lambda x, size_out=size_out: nearest_resize(x, 1, size_out), jit)
        got = to_numpy(resize(keras.ops.arange(size_in, dtype="int32")[None, None]))[0, 0]
        np.testing.assert_array_equal(got, want, str((size_in, size_out)))


@only_on("tensorflow", "its graphs run at sizes that they were not made with")
@pytest.mark.parametrize("jit", [False, True])
def test_a_graph_of_unknown_size_picks_the_same(jit):
    import tensorflow as tf

    for size_in, size_out, want in awkward_pairs():
        resize = tf.function(
            lambda x, size_out=size_out: nearest_resize(x, 1, size_out),
            input_signature=[tf.TensorSpec((1, 1, None), "int32")],
            jit_compile=jit,
        )
        got = to_numpy(resize(tf.range(size_in)[None, None]))[0, 0]
        np.testing.assert_array_equal(got, want, str((size_in, size_out)))


def test_exact_arithmetic_is_another_thing():
    exact = np.arange(48) * 112 // 48
    got = to_numpy(nearest_resize(np.arange(112)[None, None], 1, 48))[0, 0]
    assert set((exact - got).tolist()) == {0, 1}


def test_many_sizes():
    rng = np.random.default_rng(0)
    for size_in, size_out in rng.integers(1, 513, (100, 2)).tolist():
        column = np.arange(size_in)[None, :, None]

        def resize(x, size_out=size_out):
            return nearest_resize(x, size_out, 1)

        # JAX would compile every operation separately.
        got = compiled(resize)(column) if BACKEND == "jax" else resize(column)
        np.testing.assert_array_equal(to_numpy(got)[0, :, 0], formula(size_in, size_out))


def test_both_axes_at_once():
    x = np.random.default_rng(1).normal(size=(2, 7, 10, 3)).astype("float32")
    want = x[:, [0, 2, 4]][:, :, [0, 1, 3, 5, 6, 8]]
    np.testing.assert_array_equal(to_numpy(nearest_resize(x, 3, 6)), want)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "float32", "float64"])
@sixty_four_bits()
def test_dtype_stays(dtype):
    x = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for height, width in [(3, 4), (2, 9)]:
        y = nearest_resize(keras.ops.convert_to_tensor(x), height, width)
        assert keras.backend.standardize_dtype(y.dtype) == dtype
        assert is_integer(y) == ("int" in dtype)


def test_large_ids_survive():
    ids = np.array([[[2**31 - 1, 2**24 + 1]]], "int32")
    want = [[[2**31 - 1, 2**31 - 1, 2**24 + 1, 2**24 + 1]]]
    assert to_numpy(nearest_resize(ids, 1, 4)).tolist() == want


@pytest.mark.parametrize("shape", [(4, 4), (1, 4, 4, 1, 1)])
def test_other_ranks(shape):
    with pytest.raises(ValueError, match=r"`x` must have shape \(batch, H, W\) or .*got \("):
        nearest_resize(np.zeros(shape), 2, 2)
