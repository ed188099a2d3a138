import json

import keras
import numpy as np
import pytest
from keras import ops
from support.backends import differentiate
from support.golden_files import relative_error
from support.harness import to_numpy
from support.pattern_cases import KINDS, assert_equal_layers, difference, label_map

from keras_spade.layers import HalfPool, LabelConv2D, LabelPatterns

CLASSES = 4
MODULATIONS = pytest.mark.parametrize("modulation", ["patterns", "dense", "auto"])


class Concatenated(keras.layers.Layer):
    """The oracle: one convolution of one-hot labels, edges and image."""

    def __init__(self, conv, halvings):
        super().__init__()
        self.conv, self.halvings = conv, halvings
        self.pad = keras.layers.ZeroPadding2D(conv.kernel_size[0] // 2)

    def call(self, labels, image=None, edges=None):
        # On PyTorch `one_hot` fails on ids out of range.
        parts = [ops.cast(ops.expand_dims(labels, -1) == ops.arange(CLASSES), "float32")]
        if edges is not None:
            parts.append(edges[..., None])
        x = ops.concatenate(parts, -1)
        for _ in range(self.halvings):
            x = HalfPool()(x)
        if image is not None:
            stacks = image.shape[0] // x.shape[0]
            x = ops.concatenate([ops.concatenate([x] * stacks, 0), image], -1)
        return self.conv(self.pad(x))


class ByPatterns(keras.layers.Layer):
    """The layer behind a `LabelPatterns`, with edges."""

    def __init__(self, conv, size, modulation):
        super().__init__()
        windows = ((3, 2),) * conv.halvings + ((conv.kernel_size[0], conv.strides[0]),)
        self.patterns = LabelPatterns(*size, CLASSES, windows, modulation)
        self.conv = conv

    def call(self, labels, image=None, edges=None):
        return self.conv(self.patterns(labels, edges), image)


def make(kernel_size=4, strides=2, halvings=0, modulation="patterns", **kwargs):
    """The layer under test."""
    return LabelConv2D(
        6, kernel_size, strides, CLASSES, halvings=halvings, modulation=modulation, **kwargs
    )


def make_oracle(kernel_size=4, strides=2, halvings=0, **kwargs):
    return Concatenated(keras.layers.Conv2D(6, kernel_size, strides, **kwargs), halvings)


def make_image(shape, halvings, rng, channels=3):
    """An image as large as labels after their halvings."""
    batch, *size = shape
    for _ in range(halvings):
        size = [(length + 1) // 2 for length in size]
    return rng.normal(size=(batch, *size, channels)).astype("float32")


@MODULATIONS
@pytest.mark.parametrize("halvings", [0, 1, 2])
@pytest.mark.parametrize("size", [(16, 12), (13, 7), (40, 37)])
def test_equals_a_convolution_of_the_concatenation(size, halvings, modulation):
    rng = np.random.default_rng(0)
    for kind, stacks in (("regions", 2), ("noise", 3)):
        labels = label_map(kind, (2, *size), CLASSES, rng)
        image = make_image((2 * stacks, *size), halvings, rng)
        layers = make_oracle(halvings=halvings), make(halvings=halvings, modulation=modulation)
        assert_equal_layers(layers, labels, image)


@pytest.mark.parametrize("modulation", ["patterns", "auto"])
@pytest.mark.parametrize("halvings", [0, 1, 2])
def test_edges_come_with_the_patterns(halvings, modulation):
    rng = np.random.default_rng(1)
    for kind, size in (("regions", (15, 18)), ("noise", (42, 38))):
        labels = label_map(kind, (2, *size), CLASSES, rng)
        edges = rng.integers(0, 2, labels.shape).astype("float32")
        image = make_image((4, *size), halvings, rng)
        layer = ByPatterns(make(halvings=halvings, modulation=modulation), size, modulation)
        assert_equal_layers((make_oracle(halvings=halvings), layer), labels, image, edges)


@pytest.mark.parametrize("seed", range(16))
def test_random_cases(seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), *(int(size) for size in rng.integers(1, 20, 2)))
    halvings = int(rng.integers(0, 3))
    options = {
        "kernel_size": int(rng.integers(1, 5)),
        "strides": int(rng.integers(1, 3)),
        "halvings": halvings,
        "use_bias": bool(rng.integers(2)),
        "activation": str(rng.choice(["linear", "tanh"])),
    }
    if min(make_image(shape, halvings, rng).shape[1:3]) == 1:
        options["kernel_size"] = 3
    labels = label_map(rng.choice(KINDS), shape, CLASSES, rng)
    image = make_image((shape[0] * int(rng.integers(1, 4)), *shape[1:]), halvings, rng)
    images = [image] * int(rng.integers(2))
    assert_equal_layers((make_oracle(**options), make(**options)), labels, *images)


@MODULATIONS
@pytest.mark.parametrize("halvings", [0, 2])
def test_gradients_of_images_equal_the_oracles(halvings, modulation):
    rng = np.random.default_rng(2)
    labels = label_map("regions", (2, 17, 12), CLASSES, rng)
    image = make_image((6, 17, 12), halvings, rng)
    oracle, layer = make_oracle(halvings=halvings), make(halvings=halvings, modulation=modulation)
    seed = rng.normal(size=oracle(labels, image).shape).astype("float32")
    layer(labels, image)
    layer.set_weights(oracle.get_weights())
    found = []
    for conv in (oracle, layer):
        _, gradients, _ = differentiate(
            lambda image, conv=conv: (ops.sum(ops.multiply(conv(labels, image), seed)), ()),
            [image],
            [],
        )
        found += gradients
    assert difference(found[1], found[0]) < 1e-5


def test_labels_alone():
    rng = np.random.default_rng(3)
    for kind in KINDS:
        labels = label_map(kind, (3, 9, 11), CLASSES, rng)
        assert_equal_layers((make_oracle(3, 1), make(3, 1)), labels)


def test_float_maps_are_convolved_as_they_are():
    rng = np.random.default_rng(4)
    segmap = rng.random((2, 9, 8, CLASSES)).astype("float32")
    image = make_image((4, 9, 8), 1, rng)
    layer, conv = make(halvings=1), keras.layers.Conv2D(6, 4, 2)
    y = layer(segmap, image)
    padded = np.concatenate([to_numpy(HalfPool()(segmap))] * 2)
    padded = np.pad(np.concatenate([padded, image], -1), [(0, 0), (2, 2), (2, 2), (0, 0)])
    conv.build(padded.shape)
    conv.set_weights(layer.get_weights())
    assert relative_error(y, to_numpy(conv(padded))) < 1e-5


@MODULATIONS
def test_unknown_sizes_are_found_out_when_it_runs(modulation):
    layer, oracle = make(halvings=1, modulation=modulation), make_oracle(halvings=1)
    inputs = keras.Input((None, None), dtype="int32"), keras.Input((None, None, 3))
    model = keras.Model(inputs, layer(*inputs))
    assert model.output.shape == (None, None, None, 6)
    rng = np.random.default_rng(5)
    for kind, shape in (("noise", (2, 90, 80)), ("regions", (1, 13, 15))):
        labels = label_map(kind, shape, CLASSES, rng)
        image = make_image(shape, 1, rng)
        want = oracle(labels, image)
        layer.set_weights(oracle.get_weights())
        assert relative_error(model.predict([labels, image], verbose=0), to_numpy(want)) < 1e-5


@pytest.mark.parametrize(("policy", "limit"), [("mixed_bfloat16", 0.03), ("mixed_float16", 5e-3)])
@MODULATIONS
def test_half_precision_stays_near(modulation, policy, limit):
    rng = np.random.default_rng(6)
    labels, image = label_map("regions", (1, 12, 10), CLASSES, rng), make_image((2, 12, 10), 1, rng)
    layer, whole = make(halvings=1, modulation=modulation, dtype=policy), make_oracle(halvings=1)
    want = to_numpy(whole(labels, image))
    y = layer(labels, image)
    assert keras.backend.standardize_dtype(y.dtype) == policy.removeprefix("mixed_")
    layer.set_weights(whole.get_weights())
    assert relative_error(to_numpy(layer(labels, image)), want) < limit


def test_config_and_symbolic_shapes():
    rng = np.random.default_rng(7)
    labels, image = label_map("noise", (2, 11, 9), CLASSES, rng), make_image((4, 11, 9), 2, rng)
    layer = make(5, 2, halvings=2, modulation="dense", activation="relu", name="first")
    y = layer(labels, image)
    config = json.loads(json.dumps(layer.get_config()))
    wanted = {
        "filters": 6,
        "kernel_size": 5,
        "strides": 2,
        "num_classes": CLASSES,
        "halvings": 2,
        "modulation": "dense",
        "activation": "relu",
        "name": "first",
    }
    assert wanted.items() <= config.items()
    copy = LabelConv2D.from_config(config)
    copy(labels, image)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(to_numpy(copy(labels, image)), to_numpy(y))
    for choice in ("patterns", "dense"):
        for images in ([], [image]):
            conv = make(5, 2, halvings=2, modulation=choice)
            real = conv(labels, *images)
            symbols = [keras.KerasTensor(a.shape, dtype=a.dtype) for a in (labels, *images)]
            assert conv.compute_output_spec(*symbols).shape == tuple(real.shape)


def test_saved_and_loaded(tmp_path):
    rng = np.random.default_rng(8)
    labels, image = label_map("regions", (2, 12, 9), CLASSES, rng), make_image((2, 12, 9), 1, rng)
    inputs = keras.Input((12, 9), dtype="int32"), keras.Input(image.shape[1:])
    model = keras.Model(inputs, make(halvings=1)(*inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    want, got = (to_numpy(network([labels, image])) for network in (model, loaded))
    np.testing.assert_array_equal(got, want)


def test_segmaps_it_cannot_read():
    with pytest.raises(ValueError, match="'here': `segmap` must be integer labels"):
        make(name="here")(np.zeros((1, 8, 8), "float32"))
    with pytest.raises(ValueError, match="`modulation` must be one of .*, got 'sparse'"):
        make(modulation="sparse")(np.zeros((1, 8, 8), "int32"))


def test_an_even_kernel_of_stride_1_on_a_large_map():
    labels = np.repeat(np.random.default_rng(0).integers(0, 3, (1, 5, 40)), 8, 1)
    auto = LabelConv2D(2, 4, num_classes=3)
    dense = LabelConv2D(2, 4, num_classes=3, modulation="dense")
    want = dense(labels)
    auto.build(labels.shape)
    auto.set_weights(dense.get_weights())
    np.testing.assert_allclose(to_numpy(auto(labels)), to_numpy(want), atol=1e-5)


@pytest.mark.parametrize("argument", ["padding", "data_format", "dilation_rate", "groups"])
def test_what_cannot_be_set_is_refused(argument):
    with pytest.raises(ValueError, match=f"`{argument}` cannot be set"):
        LabelConv2D(2, 4, **{argument: 1})


@pytest.mark.parametrize("arguments", [{"kernel_size": (3, 5)}, {"strides": (1, 2)}])
def test_sizes_are_ints(arguments):
    with pytest.raises(ValueError, match=f"`{next(iter(arguments))}` must be an int"):
        LabelConv2D(2, **{"kernel_size": 3, **arguments})
