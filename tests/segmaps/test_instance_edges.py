import keras
import numpy as np
import pytest
from support.golden_files import load_golden
from support.harness import to_numpy

from keras_spade.layers import instance_edges


def by_hand(ids):
    """Compares neighbour by neighbour."""
    edges = np.zeros(ids.shape, "float32")
    batch, height, width = ids.shape
    for b in range(batch):
        for i in range(height):
            for j in range(width):
                for k, m in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                    if 0 <= k < height and 0 <= m < width and ids[b, k, m] != ids[b, i, j]:
                        edges[b, i, j] = 1.0
    return edges


def test_edges_are_the_references():
    golden = load_golden("instance_edges")
    maps = golden.below("in/")
    assert {"wrap", "noise"} < set(maps) and maps["wrap"].max() >= 2**16
    for name, ids in maps.items():
        edges = instance_edges(ids[:, 0])
        np.testing.assert_array_equal(to_numpy(edges), golden[f"out/{name}"][:, 0], name)
        assert keras.backend.standardize_dtype(edges.dtype) == "float32"


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64"])
@pytest.mark.parametrize("shape", [(2, 6, 7), (1, 1, 5), (3, 4, 1), (1, 1, 1)])
def test_random_ids(shape, dtype):
    ids = np.random.default_rng(0).integers(0, 3, shape).astype(dtype)
    np.testing.assert_array_equal(to_numpy(instance_edges(ids)), by_hand(ids))


def test_ids_that_differ_in_one_bit_only():
    for bit in range(31):
        ids = np.array([[[5, 5, 5 ^ (1 << bit), 5]]], "int32")
        assert to_numpy(instance_edges(ids))[0, 0].tolist() == [0.0, 1.0, 1.0, 1.0]
    # float32 cannot distinguish these two.
    ids = np.array([[[2**24, 2**24 + 1]]], "int32")
    assert to_numpy(instance_edges(ids))[0, 0].tolist() == [1.0, 1.0]


def test_neither_diagonals_nor_the_border_of_the_image():
    ids = np.zeros((1, 5, 5), "int32")
    np.testing.assert_array_equal(to_numpy(instance_edges(ids)), 0.0)
    ids[0, 2, 2] = 1
    want = [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]
    assert to_numpy(instance_edges(ids))[0].tolist() == want


@pytest.mark.parametrize("shape", [(4, 4), (1, 4, 4, 1)])
def test_other_ranks(shape):
    with pytest.raises(ValueError, match=r"`instances` must have shape \(batch, H, W\), got \("):
        instance_edges(np.zeros(shape, "int32"))
