import numpy as np
import pytest
from support.golden_files import channels_last, golden_names, load_golden, relative_error
from support.harness import check_layer, gradients, to_numpy

from keras_spade.layers import HalfPool


def by_hand(x):
    """Mean over the pixels of each 3 x 3 window that lie in the image."""
    batch, height, width, channels = x.shape
    y = np.empty((batch, (height + 1) // 2, (width + 1) // 2, channels))
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            rows = slice(max(2 * i - 1, 0), 2 * i + 2)
            columns = slice(max(2 * j - 1, 0), 2 * j + 2)
            y[:, i, j] = x[:, rows, columns].astype("float64").mean(axis=(1, 2))
    return y


@pytest.mark.parametrize("name", golden_names("discriminator_"))
def test_pooled_input_is_the_references(name):
    golden = load_golden(name)
    y = HalfPool()(channels_last(golden["in/x"]))
    assert relative_error(y, channels_last(golden["out/downsampled_input"])) < 1e-6


@pytest.mark.parametrize("size", [(8, 6), (7, 5), (6, 7), (1, 1), (2, 3), (1, 4)])
def test_against_a_loop(size):
    x = np.random.default_rng(0).normal(2.0, 1.0, (2, *size, 3)).astype("float32")
    assert relative_error(HalfPool()(x), by_hand(x)) < 1e-6


def test_gradient_spreads_each_mean():
    seed = np.random.default_rng(1).normal(size=(1, 3, 2, 1)).astype("float32")
    x = np.zeros((1, 5, 4, 1), "float32")
    want = np.zeros(x.shape)
    for index in np.ndindex(5, 4):
        unit = np.zeros(x.shape)
        unit[0, index[0], index[1], 0] = 1.0
        want[0, index[0], index[1], 0] = np.sum(by_hand(unit) * seed)
    _, grad_x, _ = gradients(HalfPool(), x, seed=seed)
    assert relative_error(grad_x, want) < 1e-6


def test_what_every_layer_must_do():
    x = np.random.default_rng(2).normal(size=(2, 7, 6, 3)).astype("float32")
    check_layer(HalfPool, x, output_shape=(2, 4, 3, 3))
    assert HalfPool().compute_output_shape((None, None, 9, 3)) == (None, None, 5, 3)
    assert to_numpy(HalfPool()(np.ones((1, 9, 8, 2), "float32"))).min() == 1.0


def test_other_ranks():
    with pytest.raises(ValueError, match="x.shape|ndim=4"):
        HalfPool()(np.zeros((8, 8, 3), "float32"))
