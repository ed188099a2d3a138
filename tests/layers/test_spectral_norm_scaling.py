"""Dividing the inputs by sigma, if they are smaller than the kernel, gives the same result."""

import keras
import numpy as np
import pytest
from support.golden_files import relative_error
from support.harness import randomize, to_numpy
from support.pattern_cases import assert_equal_layers

from keras_spade import SpectralNorm
from keras_spade.layers import SmallMapConv2D

# name -> (the layer, an input smaller than its kernel, a larger one)
LAYERS = {
    "conv2d": (lambda: keras.layers.Conv2D(6, 3, padding="same"), (2, 3, 4), (20, 17, 4)),
    "small_map_conv2d": (lambda: SmallMapConv2D(6, 3, padding="same"), (2, 3, 4), (20, 17, 4)),
    "strided": (lambda: SmallMapConv2D(9, 4, strides=2), (5, 5, 4), (13, 16, 4)),
    "grouped": (lambda: keras.layers.Conv2D(6, 5, padding="same", groups=2), (2, 2, 4), (9, 9, 4)),
    "conv1d": (lambda: keras.layers.Conv1D(7, 5, padding="same"), (3, 4), (50, 4)),
    "dense": (lambda: keras.layers.Dense(7, activation="tanh"), (6,), (9, 6)),
}


class Shifted(keras.layers.Dense):
    """A layer that also uses inputs and kernel outside their product."""

    def call(self, inputs):
        return super().call(inputs) + inputs[:, :1] + keras.ops.mean(self.kernel**2)


class KernelDivided(SpectralNorm):
    """The oracle: always divides the kernel."""

    def _scales_inputs(self, inputs):
        return False


def make_x(shape):
    return np.random.default_rng(0).normal(size=(3, *shape)).astype("float32")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", LAYERS)
def test_dividing_inputs_equals_dividing_the_kernel(kind, training):
    make, small, large = LAYERS[kind]
    for shape, scales in ((small, True), (large, False)):
        wrapper = SpectralNorm(make())
        wrapper.build((3, *shape))
        assert wrapper._scales_inputs(make_x(shape)) == scales
        layers = (KernelDivided(make()), wrapper)
        assert_equal_layers(layers, make_x(shape), training=training)


def test_layers_with_their_own_call_get_the_divided_kernel():
    x = make_x((6,))
    wrapper = SpectralNorm(Shifted(7))
    wrapper.build(x.shape)
    randomize(wrapper)
    w, u, v = (to_numpy(a).astype("float64") for a in (wrapper.kernel, wrapper.u, wrapper.v))
    kernel = w / (v @ w @ u)
    want = x @ kernel + to_numpy(wrapper.layer.bias) + x[:, :1] + np.mean(kernel**2)
    assert relative_error(wrapper(x), want) < 1e-5
    assert_equal_layers((KernelDivided(Shifted(7)), SpectralNorm(Shifted(7))), x, training=True)


@pytest.mark.parametrize(("policy", "limit"), [("mixed_bfloat16", 0.03), ("mixed_float16", 5e-3)])
def test_inputs_are_divided_before_they_are_rounded(policy, limit):
    x = 1e4 * make_x((2, 3, 4))  # times sigma, too large for 16 bits
    wrapper = SpectralNorm(SmallMapConv2D(6, 3, padding="same", use_bias=False, dtype=policy))
    oracle = KernelDivided(keras.layers.Conv2D(6, 3, padding="same", use_bias=False))
    oracle.build(x.shape)
    randomize(oracle, scale=10.0)
    wrapper.build(x.shape)
    wrapper.set_weights(oracle.get_weights())
    for _ in range(20):  # from random vectors to those of the largest singular value
        oracle(x, training=True)
    wrapper.set_weights(oracle.get_weights())
    assert np.all(np.isfinite(to_numpy(wrapper(x))))
    assert relative_error(to_numpy(wrapper(x)), to_numpy(oracle(x))) < limit
