import numpy as np

from examples.paper.networks import CRN
from examples.paper.networks.crn import divisor, resolutions

# Chen and Koltun 2017, section 3: the channels of the modules with 4 to 1024 rows.
PAPER = [1024, 1024, 1024, 1024, 1024, 512, 512, 128, 32]


def parameters(widths, channels, image=3):
    """3 x 3 kernels without bias, scales and offsets, and the last convolution."""
    count, before = 0, 0
    for width in widths:
        count += 9 * (before + channels) * width + 9 * width**2 + 4 * width
        before = width
    return count + before * image + image


def test_widths_and_sizes_are_the_papers():
    sizes = resolutions(1024, 2048)
    assert sizes == [(4 * 2**i, 8 * 2**i) for i in range(9)]
    assert [1024 // divisor(rows) for rows, _ in sizes] == PAPER
    assert resolutions(96, 128) == [(6, 8), (12, 16), (24, 32), (48, 64), (96, 128)]


def test_parameters():
    # By hand, for 20 classes: 9 (20 + 1024) 1024 + four times 9 (1044 + 1024) 1024 + ...
    assert parameters(PAPER, 20) == 98_649_315 + 4 * sum(PAPER)
    for size, widths in (((32, 64), [6] * 4), ((256, 256), [6] * 5 + [3] * 2)):
        network = CRN(5, (*size, 3), void_class=True, base_filters=6)
        count = sum(int(np.prod(w.shape)) for w in network.trainable_weights)
        assert count == parameters(widths, 6)


def test_layer_norm_is_over_height_width_and_channels():
    norm = CRN(5, (16, 16, 3), base_filters=6).get_layer("module_1_norm_0")
    x = np.random.default_rng(0).normal(3.0, 2.0, (2, 8, 8, 6)).astype("float32")
    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    want = (x - mean) / np.sqrt(((x - mean) ** 2).mean(axis=(1, 2, 3), keepdims=True) + 1e-5)
    np.testing.assert_allclose(np.array(norm(x)), want, atol=1e-5)


def test_a_module_sees_labels_and_enlarged_features():
    network = CRN(5, (16, 32, 3), base_filters=6)
    assert network.get_layer("module_0_conv_0").kernel.shape == (3, 3, 5, 6)
    assert network.get_layer("module_1_conv_0").kernel.shape == (3, 3, 5 + 6, 6)
    assert network.get_layer("module_2_conv_1").output.shape == (None, 16, 32, 6)
