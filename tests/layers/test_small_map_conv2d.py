import keras
import numpy as np
import pytest
from support.backends import BACKEND, only_on, sixty_four_bits
from support.golden_files import relative_error
from support.harness import gradients, to_numpy
from support.pattern_cases import assert_equal_layers

from keras_spade.layers import SmallMapConv2D
from keras_spade.layers.conv2d import Conv2D

# Output sizes around 256 pixels.
SIZES = [(1, 1), (3, 5), (16, 16), (17, 16), (40, 31)]
UNKNOWN = only_on("tensorflow", "its graphs run at sizes that they were not made with")


def make_both(*args, **options):
    """The oracle, and the layer under test."""
    return keras.layers.Conv2D(*args, **options), SmallMapConv2D(*args, **options)


def make_x(size, channels=4, batch=2):
    return np.random.default_rng(0).normal(size=(batch, *size, channels)).astype("float32")


def convolutions(monkeypatch):
    """Counts the calls of the plain convolution."""
    calls = []
    convolution = Conv2D.convolution_op

    def counting(self, inputs, kernel, bias=None):
        calls.append(inputs.shape)
        return convolution(self, inputs, kernel, bias)

    monkeypatch.setattr(Conv2D, "convolution_op", counting)
    return calls


def graph(layer, shape):
    """The layer as a graph for inputs with a partly unknown shape."""
    import tensorflow as tf

    return tf.function(layer, input_signature=[tf.TensorSpec(shape)])


def corrupts_memory():
    """Whether the oracle fails: PyTorch 2.13's gradient of strided 1 x 1 kernels without AVX512."""
    if BACKEND != "torch":
        return False
    import torch

    return torch.backends.cpu.get_cpu_capability() == "AVX2"


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, (2, 3)])
@pytest.mark.parametrize("size", SIZES)
def test_equals_keras(size, kernel_size):
    for padding, strides in (("same", 1), ("valid", 1), ("valid", 2), ("same", 2)):
        if padding == "valid" and min(size) < 4:
            continue
        if kernel_size == 1 and strides == 2 and corrupts_memory():
            continue
        layers = make_both(3, kernel_size, strides=strides, padding=padding)
        assert_equal_layers(layers, make_x(size))


@pytest.mark.parametrize(
    "options",
    [
        {"groups": 2},
        {"dilation_rate": 2},
        {"strides": (2, 3), "padding": "valid"},
        {"use_bias": False, "activation": "tanh"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_other_options_equal_keras(options):
    for size in ((9, 10), (24, 20)):
        layers = make_both(6, 3, **{"padding": "same", **options})
        assert_equal_layers(layers, make_x(size))


def test_only_small_maps_go_without_a_convolution(monkeypatch):
    calls = convolutions(monkeypatch)
    layer = SmallMapConv2D(2, 3, padding="same")
    for size, total in (((16, 16), 0), ((1, 256), 0), ((17, 16), 1), ((1, 257), 2)):
        layer(make_x(size))
        assert len(calls) == total, size
    valid = SmallMapConv2D(2, 3, strides=2)
    for size, total in (((33, 33), 2), ((35, 33), 3)):  # 16 x 16 and 17 x 16 outputs
        valid(make_x(size))
        assert len(calls) == total, size


@UNKNOWN
def test_unknown_sizes_are_convolved(monkeypatch):
    layer = SmallMapConv2D(3, 3, padding="same")
    x = make_x((5, 6))
    want = to_numpy(layer(x))
    calls = convolutions(monkeypatch)
    call = graph(layer, (None, None, None, 4))
    assert relative_error(call(x), want) < 1e-6
    assert [tuple(shape) for shape in calls] == [(None, None, None, 4)]


@UNKNOWN
def test_unknown_batches_are_not_convolved(monkeypatch):
    layer = SmallMapConv2D(3, 3, strides=2)
    x = make_x((9, 8), batch=5)
    want = to_numpy(layer(x))
    calls = convolutions(monkeypatch)
    call = graph(layer, (None, 9, 8, 4))
    assert relative_error(call(x), want) < 1e-6
    assert not calls


@pytest.mark.parametrize(("policy", "limit"), [("mixed_bfloat16", 0.03), ("mixed_float16", 5e-3)])
def test_half_precision_stays_near(policy, limit):
    x = make_x((6, 5))
    whole, mixed = SmallMapConv2D(3, 3), SmallMapConv2D(3, 3, dtype=policy)
    want, y = whole(x), mixed(x)
    assert keras.backend.standardize_dtype(y.dtype) == policy.removeprefix("mixed_")
    mixed.set_weights(whole.get_weights())
    assert relative_error(to_numpy(mixed(x)), to_numpy(want)) < limit


def test_saved_and_loaded(tmp_path):
    inputs = keras.Input((7, 6, 4))
    model = keras.Model(inputs, SmallMapConv2D(3, (3, 2), padding="same", name="conv")(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.get_layer("conv")) is SmallMapConv2D
    assert loaded.get_layer("conv").get_config() == model.get_layer("conv").get_config()
    x = make_x((7, 6))
    np.testing.assert_array_equal(to_numpy(loaded(x)), to_numpy(model(x)))


@pytest.mark.parametrize("size", [(8, 8), (20, 20)])
def test_one_filter_is_the_first_of_two(size):
    # In float64, PyTorch's plain convolution cannot differentiate a single filter.
    with sixty_four_bits():
        one, two = (SmallMapConv2D(n, 3, dtype="float64") for n in (1, 2))
        x = make_x(size).astype("float64")
        one.build(x.shape)
        two.build(x.shape)
        one.kernel.assign(two.kernel[..., :1])
        seed = np.random.default_rng(1).normal(size=(2, size[0] - 2, size[1] - 2, 1))
        both = np.concatenate([seed, np.zeros_like(seed)], axis=-1)
        y, of_x, (of_kernel, of_bias) = gradients(one, x, seed=seed)
        want_y, want_x, (want_kernel, want_bias) = gradients(two, x, seed=both)
        for got, want in (
            (y, want_y[..., :1]),
            (of_x, want_x),
            (of_kernel, want_kernel[..., :1]),
            (of_bias, want_bias[:1]),
        ):
            np.testing.assert_allclose(to_numpy(got), to_numpy(want), rtol=1e-5, atol=1e-9)
