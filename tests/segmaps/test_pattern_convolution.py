import numpy as np
import pytest
from keras import ops
from support.golden_files import relative_error
from support.harness import to_numpy

from keras_spade.layers import HalfPool
from keras_spade.segmaps.distinct_windows import distinct_windows
from keras_spade.segmaps.pattern_convolution import (
    convolve_labels,
    gather_windows,
    half_pool_pixels,
    sum_over_taps,
)


def test_sums_over_taps_by_hand():
    rows = np.array([[[1.0], [2.0]], [[10.0], [20.0]], [[100.0], [200.0]]], "float32")
    members = np.array([[0, 0, 0], [1, 0, 1], [0, 1, 1]], "int32")
    got = to_numpy(sum_over_taps(*map(ops.convert_to_tensor, (rows, members))))
    np.testing.assert_array_equal(got, [[111.0], [212.0], [221.0]])


def test_windows_are_gathered_by_hand():
    rows = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    members = np.array([[0, 1, 2, 0], [2, 2, 0, 1]], "int32")
    want = [[0, 0, 1, 2, 3, 4, 0, 0], [3, 4, 3, 4, 0, 0, 1, 2]]
    np.testing.assert_array_equal(to_numpy(gather_windows(rows, members)), want)


@pytest.mark.parametrize("kernel_size", [1, 3, 4])
def test_labels_are_convolved(kernel_size):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(kernel_size, kernel_size, 5, 3))
    pixels = rng.normal(size=(7, 5))
    members = rng.integers(0, 7, (11, kernel_size**2)).astype("int32")
    windows = pixels[members].reshape(11, kernel_size, kernel_size, 5)
    want = np.einsum("prcd,rcdf->pf", windows, kernel)
    arrays = (kernel.astype("float32"), pixels.astype("float32"), members)
    got = convolve_labels(*map(ops.convert_to_tensor, arrays))
    assert relative_error(got, want) < 1e-6


def test_pooling_divides_by_the_pixels_that_are_inside():
    pixels = np.array([[0.0], [3.0], [6.0]], "float32")
    members = np.array([[1] * 9, [0] * 3 + [1] * 3 + [2] * 3, [0] * 8 + [2]], "int32")
    got = to_numpy(half_pool_pixels(pixels, members))
    np.testing.assert_allclose(got, [[0.0], [3.0], [4.5], [6.0]], rtol=1e-6)


@pytest.mark.parametrize("size", [(8, 6), (7, 9), (1, 1), (1, 4)])
def test_pooled_pixels_are_those_of_half_pool(size):
    rng = np.random.default_rng(1)
    pixels = np.concatenate([np.zeros((1, 3)), rng.normal(size=(4, 3))]).astype("float32")
    ids = rng.integers(1, 5, (2, *size))
    members, index = distinct_windows(ids, 3, 3, strides=2)
    pooled = to_numpy(half_pool_pixels(pixels, members))
    np.testing.assert_array_equal(pooled[0], 0.0)
    assert relative_error(pooled[to_numpy(index) + 1], to_numpy(HalfPool()(pixels[ids]))) < 1e-6
