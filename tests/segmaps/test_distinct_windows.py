import numpy as np
import pytest
from support.backends import only_on
from support.pattern_cases import KINDS, label_map

from keras_spade.layers import distinct_windows
from keras_spade.segmaps.distinct_windows import window_count


def windows_of(ids, kernel_size, strides):
    """The padded window of each output pixel, `(batch, h, w, kernel_size**2)`."""
    pad = kernel_size // 2
    padded = np.pad(np.asarray(ids, "int64"), [(0, 0), (pad, pad), (pad, pad)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel_size,) * 2, (1, 2))
    windows = windows[:, ::strides, ::strides]
    return windows.reshape(*windows.shape[:3], -1)


def check(ids, id_bits, kernel_size, strides=1, find=distinct_windows):
    """Each pixel finds its own window; no window is listed twice, none without a pixel."""
    members, index = (np.array(x) for x in find(ids, id_bits, kernel_size, strides))
    assert members.dtype == index.dtype == np.int32
    want = windows_of(ids, kernel_size, strides)
    np.testing.assert_array_equal(members[index], want)
    distinct = np.unique(want.reshape(-1, kernel_size**2), axis=0)
    np.testing.assert_array_equal(np.unique(members, axis=0), distinct)
    assert len(members) == len(distinct)
    return len(members)


def bits_of(ids):
    return max(int(np.max(ids)).bit_length(), 1)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1), (7, 10), (16, 9)])
def test_pixels_find_their_own_windows(size, kernel_size, strides):
    rng = np.random.default_rng(0)
    for batch in (1, 3):
        for kind in ("regions", "noise"):
            check(label_map(kind, (batch, *size), 5, rng) + 1, 3, kernel_size, strides)


@pytest.mark.parametrize("seed", range(40))
def test_random_maps(seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), *rng.integers(1, 24, 2))
    kind = rng.choice(KINDS[:-1])
    ids = label_map(kind, shape, int(2 ** rng.integers(1, 31)), rng)
    bits = int(rng.integers(bits_of(ids), 32))
    check(ids, bits, int(rng.integers(1, 8)), int(rng.integers(1, 4)))


@pytest.mark.parametrize("bits", [1, 8, 20, 21, 31])
@pytest.mark.parametrize("kernel_size", [1, 3, 4, 7])
def test_the_largest_ids_do_not_collide(bits, kernel_size):
    rng = np.random.default_rng(bits)
    largest = 2**bits - 1
    candidates = [0, largest, max(largest - 1, 0), 2 ** (bits - 1), 1, 2 ** (bits // 2)]
    ids = rng.choice(candidates, (2, 12, 13))
    assert check(ids, bits, kernel_size, 2 - kernel_size % 2) > 1


@pytest.mark.parametrize("bits", [16, 21, 31])
def test_windows_that_differ_in_one_bit_stay_apart(bits):
    values = np.concatenate([[0], 2 ** np.arange(bits)])
    for tap in range(9):
        ids = np.zeros((len(values), 3, 3), "int64")
        ids.reshape(len(values), -1)[:, tap] = values
        members, index = (np.array(x) for x in distinct_windows(ids, bits, 3))
        assert len(set(index[:, 1, 1])) == len(values)
        np.testing.assert_array_equal(members[index[:, 1, 1], tap], values)


def test_ids_near_the_end_of_int32():
    ids = np.random.default_rng(0).integers(2**31 - 5, 2**31 - 1, (2, 9, 8)).astype("int32")
    assert ids.max() == 2**31 - 2
    for kernel_size in (1, 3, 5):
        check(ids, 31, kernel_size)


def test_noise_has_a_window_for_each_pixel_and_flat_maps_few():
    ids = np.random.default_rng(0).integers(1, 1000, (2, 20, 20))
    assert check(ids, 10, 3) == 2 * 20 * 20
    assert check(np.full((4, 20, 30), 7), 3, 5) == 5 * 5
    assert check(np.full((4, 20, 30), 7), 3, 1) == 1


@only_on("tensorflow", "compiled for sizes that are not known")
@pytest.mark.parametrize("kernel_size", [3, 4])
def test_unknown_sizes(kernel_size):
    import tensorflow as tf

    signature = tf.TensorSpec((None, None, None), tf.int32)
    find = tf.function(lambda ids: distinct_windows(ids, 31, kernel_size), [signature])
    rng = np.random.default_rng(1)
    for shape in [(1, 1, 1), (2, 7, 4), (3, 12, 15)]:
        ids = label_map("noise", shape, 2**30, rng)
        check(ids, 31, kernel_size, find=lambda ids, *_: find(ids))


def test_window_counts_are_those_of_numpy():
    for size in (1, 2, 5, 8, 31):
        for kernel_size in (1, 2, 3, 4, 5):
            for strides in (1, 2, 3):
                want = windows_of(np.zeros((1, size, 1)), kernel_size, strides).shape[1]
                assert window_count(size, kernel_size, strides) == want
    assert window_count(None, 3, 1) is None
