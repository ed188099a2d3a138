import keras
import numpy as np
import pytest
from support.golden_files import relative_error
from support.harness import check_layer

from keras_spade.layers.conv2d import Conv2D


def make_x():
    return np.random.default_rng(0).normal(size=(2, 20, 17, 4)).astype("float32")


@pytest.mark.parametrize(
    "options",
    [
        {"padding": "same"},
        {"padding": "same", "strides": 2, "use_bias": False},
        {"groups": 2, "activation": "tanh"},
        {"dilation_rate": 2},
    ],
    ids=str,
)
def test_equals_keras(options):
    oracle, layer = keras.layers.Conv2D(6, 3, **options), Conv2D(6, 3, **options)
    want = oracle(make_x())
    layer.build(make_x().shape)
    layer.set_weights([w + 0.1 for w in oracle.get_weights()])
    oracle.set_weights(layer.get_weights())
    assert relative_error(layer(make_x()), oracle(make_x())) < 1e-6
    assert tuple(layer(make_x()).shape) == tuple(want.shape)


def test_what_every_layer_must_do():
    shape = (2, 18, 15, 6)
    check_layer(lambda: Conv2D(6, 3), make_x(), output_shape=shape, trainable=2)
