import keras
import numpy as np
import pytest

from examples.paper.networks import Pix2PixHD
from examples.paper.networks.pix2pixhd import Steps


def parameters(base, downsamplings, blocks, inputs, channels=3, affine=False):
    """Kernels and biases, convolution by convolution; two numbers per channel of affine norms."""
    widths = [base * 2**i for i in range(downsamplings + 1)]
    count = 49 * inputs * base + base
    count += sum(9 * a * b + b for a, b in zip(widths, widths[1:], strict=False))
    count += blocks * 2 * (9 * widths[-1] ** 2 + widths[-1])
    count += sum(9 * a * b + a for a, b in zip(widths, widths[1:], strict=False))
    norms = sum(widths) + 2 * blocks * widths[-1] + sum(widths[:-1])
    return count + 49 * base * channels + channels + affine * 2 * norms


def enhancer_parameters(base, inputs, channels=3):
    """c7s1-32, d64, R64 (three), u32, c7s1-3 of the paper, with `base` 64."""
    half = base // 2
    count = 49 * inputs * half + half + 9 * half * base + base
    count += 3 * 2 * (9 * base**2 + base) + 9 * base * half + half
    return count + 49 * half * channels + channels


def count(network):
    return sum(int(np.prod(w.shape)) for w in network.trainable_weights)


def test_parameters_are_those_of_the_papers():
    # Park et al. 2019, table 3: 183M, for 183 classes with void and an edge channel.
    assert round(parameters(64, 4, 9, 184) / 1e6) == 183
    # The same network with two downsamplings, and affine norms, as the code of pix2pix prints it:
    # github.com/junyanz/pytorch-CycleGAN-and-pix2pix, issue 45.
    assert parameters(64, 2, 9, 3, affine=True) == 11_388_675
    network = Pix2PixHD(
        5, (32, 48, 3), void_class=True, base_filters=4, blocks=1, affine=True, norm="batch"
    )
    assert count(network) == parameters(4, 4, 1, 5 + 1, affine=True)


def test_the_enhancer_has_the_papers_parameters():
    network = Pix2PixHD(3, (32, 64, 3), base_filters=4, blocks=1, enhancer=True)
    without_last = parameters(4, 4, 1, 3) - (49 * 4 * 3 + 3)
    assert count(network) == without_last + enhancer_parameters(4, 3)
    assert network.get_layer("enhancer_block_2_conv_1").output.shape == (None, 16, 32, 4)
    assert network.get_layer("up_0_relu").output.shape == (None, 16, 32, 4)


@pytest.mark.slow
def test_parameters_of_nine_blocks():
    network = Pix2PixHD(
        3, (16, 16, 3), downsamplings=2, conditioning="dense", affine=True, norm="batch"
    )
    assert count(network) == 11_388_675
    common = {"void_class": True, "instance_edges": True, "base_filters": 4}
    network = Pix2PixHD(5, (32, 48, 3), **common)
    assert count(network) == parameters(4, 4, 9, 5 + 2)
    network = Pix2PixHD(5, (64, 96, 3), enhancer=True, **common)
    without_last = parameters(4, 4, 9, 5 + 2) - (49 * 4 * 3 + 3)
    assert count(network) == without_last + enhancer_parameters(4, 5 + 2)


@pytest.mark.slow
def test_shapes_of_the_paper():
    network = Pix2PixHD(3, (128, 256, 3), base_filters=2, enhancer=True)
    for name, shape in {
        "first_relu": (64, 128, 2),
        "down_4": (4, 8, 32),
        "block_8_sum": (4, 8, 32),
        "up_0_relu": (64, 128, 2),
        "enhancer_first_relu": (128, 256, 1),
        "enhancer_block_2_conv_1": (64, 128, 2),
        "enhancer_up_relu": (128, 256, 1),
        "conv_img": (128, 256, 3),
    }.items():
        assert network.get_layer(name).output.shape == (None, *shape), name


@pytest.mark.parametrize("modulation", ["patterns", "dense"])
def test_the_first_convolution_sees_a_reflected_border(modulation):
    labels = np.random.default_rng(0).integers(0, 3, (2, 16, 32)).astype("int32")
    edges = np.random.default_rng(1).integers(0, 2, (2, 16, 32)).astype("float32")
    network = Pix2PixHD(
        3, (16, 32, 3), instance_edges=True, base_filters=2, blocks=1, modulation=modulation
    )
    first = network.get_layer("first")
    norm = network.get_layer("first_norm")
    got = np.array(keras.Model(network.input, norm.input)({"labels": labels, "edges": edges}))
    maps = np.concatenate([np.eye(3)[labels], edges[..., None]], axis=-1)
    maps = np.pad(maps, [(0, 0), (3, 3), (3, 3), (0, 0)], mode="reflect")
    kernel = np.array(first.kernel)
    want = sum(maps[:, i : i + 16, j : j + 32] @ kernel[i, j] for i in range(7) for j in range(7))
    np.testing.assert_allclose(got, want, atol=1e-5)


class Plain:
    """Parts with given kernels, and norms and activations that do nothing."""

    dtype = "float32"

    def __init__(self, kernel):
        self.kernel = kernel

    def transposed(self, x, filters, size, name):
        layer = keras.layers.Conv2DTranspose(filters, size, strides=2, use_bias=False)
        layer.build(x.shape)
        layer.set_weights([self.kernel])
        return layer(x)

    def norm(self, x, name):
        return x

    def relu(self, x, name):
        return x


def test_transposed_convolutions_lie_where_convolutions_of_padding_one_do():
    kernel = np.arange(1.0, 10.0, dtype="float32").reshape(3, 3, 1, 1)
    x = np.zeros((1, 4, 4, 1), "float32")
    x[0, 1, 2, 0] = 1
    got = np.array(Steps(Plain(kernel), concat=False).up(x, 1, "up"))
    want = np.zeros((8, 8))
    want[2 * 1 - 1 : 2 * 1 + 2, 2 * 2 - 1 : 2 * 2 + 2] = kernel[..., 0, 0]
    np.testing.assert_array_equal(got[0, ..., 0], want)
