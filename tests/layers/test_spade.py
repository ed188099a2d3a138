import keras
import numpy as np
import pytest
from support.backends import sixty_four_bits
from support.golden_files import channels_last, golden_names, load_golden, relative_error
from support.harness import (
    check_layer,
    check_state,
    golden_options,
    golden_segmap,
    load_state,
    randomize,
    spade_entries,
    to_numpy,
)

from keras_spade import SPADE
from keras_spade.layers import FeatureNorm

NAMES = [name for name in golden_names("spade_") if name != "spade_syncbn_multidevice_formula"]
FORMS = pytest.mark.parametrize("form", ["map", "patterns", "dense", "auto"])
SEGMAP_WORDS = "`segmap` must be integer labels .* or a one-hot or float map"


def golden_spade(name, form, **kwargs):
    """The layer with the golden file's weights, and its inputs."""
    golden = load_golden(name)
    options, _ = golden_options(golden)
    if form != "map":
        options |= {"num_classes": golden.config["semantic_nc"], "modulation": form}
    spade = SPADE(**options, **kwargs)
    x, segmap = channels_last(golden["in/x"]), golden_segmap(golden, form)
    spade.build(x.shape, segmap.shape)
    load_state(spade_entries(spade), golden.below("state/"))
    return golden, spade, x, segmap


def weights_of(spade):
    """The kernels and biases of the three convolutions, in float64."""
    convs = (spade.shared, spade.gamma, spade.beta)
    return [(to_numpy(c.kernel).astype("float64"), to_numpy(c.bias)) for c in convs]


def constant_modulation(spade, style):
    """Gamma and beta, each (batch, channels), of a constant map, except at borders."""
    (shared, b0), (gamma, b1), (beta, b2) = weights_of(spade)
    hidden = np.maximum(style @ shared.sum(axis=(0, 1)) + b0, 0)
    return hidden @ gamma.sum(axis=(0, 1)) + b1, hidden @ beta.sum(axis=(0, 1)) + b2


def test_golden_files_cover_what_they_should():
    ratios = set()
    for name in NAMES:
        golden = load_golden(name)
        ratios.add(golden["in/seg"].shape[2] / golden["in/x"].shape[2])
    assert len(NAMES) >= 9 and {1.5, 2.0, 4.0} <= ratios and min(ratios) < 1


@FORMS
@pytest.mark.parametrize("name", NAMES)
def test_outputs_and_statistics_equal_the_references(name, form):
    golden, spade, x, segmap = golden_spade(name, form)
    for _ in range(2):  # inference moves nothing
        assert relative_error(spade(x, segmap), channels_last(golden["out/eval/y"])) < 1e-5
    y = spade(x, segmap, training=True)
    assert relative_error(y, channels_last(golden["out/train/y"])) < 1e-5
    state = golden.below("out/train/state/")
    assert bool(state) == (spade.norm != "instance")
    check_state(spade_entries(spade), state, 1e-5)


@FORMS
@pytest.mark.parametrize("name", NAMES)
@sixty_four_bits()
def test_float64_is_closer_still(name, form):
    keras.config.set_floatx("float64")
    golden, spade, x, segmap = golden_spade(name, form, dtype="float64")
    x = x.astype("float64")
    y = spade(x, segmap)
    assert keras.backend.standardize_dtype(y.dtype) == "float64"
    assert {weight.dtype for weight in spade.weights} == {"float64"}
    assert relative_error(y, channels_last(golden["out/eval/y"])) < 1e-6
    y = spade(x, segmap, training=True)
    assert relative_error(y, channels_last(golden["out/train/y"])) < 1e-6
    check_state(spade_entries(spade), golden.below("out/train/state/"), 1e-6)


# Section 3 of the paper: why it works.


def constant_activations(label):
    """The result of a convolution, except at borders, for a map with a single label."""
    conv = keras.layers.Conv2D(6, 3, padding="valid")
    one_hot = np.zeros((1, 10, 10, 5), "float32")
    one_hot[..., label] = 1.0
    conv.build(one_hot.shape)
    randomize(conv, seed=3)
    kernel, bias = (to_numpy(w).astype("float64") for w in (conv.kernel, conv.bias))
    y = to_numpy(conv(one_hot))
    np.testing.assert_allclose(y[0, 0, 0], kernel.sum(axis=(0, 1))[label] + bias, rtol=1e-5)
    assert np.min(np.abs(y)) > 1e-2
    return y


@pytest.mark.parametrize("label", range(5))
def test_instance_norm_washes_a_single_label_away(label):
    y = FeatureNorm("instance")(constant_activations(label))
    np.testing.assert_allclose(to_numpy(y), 0.0, atol=1e-3)


@pytest.mark.parametrize("norm", ["instance", "batch", "sync_batch"])
def test_spade_keeps_a_single_label(norm):
    seen = []
    for label in range(5):
        spade = SPADE(norm, num_classes=5, hidden_filters=16)
        x, labels = constant_activations(label), np.full((1, 16, 16), label)
        spade.build(x.shape, labels.shape)
        randomize(spade, seed=4)
        y = to_numpy(spade(x, labels, training=True))
        _, beta = constant_modulation(spade, np.eye(5)[[label]])
        inner = y[0, 2:-2, 2:-2].reshape(-1, 6)
        np.testing.assert_allclose(inner, np.broadcast_to(beta, inner.shape), atol=2e-2)
        assert np.max(np.abs(beta)) > 0.5
        seen.append(inner[0])
    distances = [np.max(np.abs(a - b)) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(distances) > 0.1


# Section 3 again: SPADE is a generalisation of older normalisations.


@pytest.mark.parametrize("kernel_size", [1, 3])
@pytest.mark.parametrize("norm", ["batch", "sync_batch"])
def test_one_label_an_image_gives_conditional_batch_norm(norm, kernel_size):
    rng = np.random.default_rng(5)
    x = rng.normal(1.0, 2.0, (3, 8, 9, 4)).astype("float32")
    label = np.array([2, 0, 3])
    labels = np.broadcast_to(label[:, None, None], (3, 16, 18))
    spade = SPADE(norm, kernel_size=kernel_size, hidden_filters=12, num_classes=4)
    spade.build(x.shape, labels.shape)
    randomize(spade)
    gamma, beta = constant_modulation(spade, np.eye(4)[label])
    wide = x.astype("float64")
    mean, variance = wide.mean(axis=(0, 1, 2)), wide.var(axis=(0, 1, 2))
    normalized = (wide - mean) / np.sqrt(variance + 1e-5)
    want = normalized * (1.0 + gamma[:, None, None]) + beta[:, None, None]
    border = kernel_size - 1
    inner = np.s_[:, border : 8 - border, border : 9 - border]
    y = to_numpy(spade(x, np.ascontiguousarray(labels), training=True))
    assert relative_error(y[inner], want[inner]) < 1e-5


def test_a_constant_style_with_instance_norm_gives_adain():
    rng = np.random.default_rng(6)
    x = rng.normal(-1.0, 3.0, (2, 7, 6, 5)).astype("float32")
    style = rng.normal(size=(2, 8)).astype("float32")
    spade = SPADE("instance", kernel_size=1, hidden_filters=10)
    segmap = np.ascontiguousarray(np.broadcast_to(style[:, None, None], (2, 3, 4, 8)))
    spade.build(x.shape, segmap.shape)
    randomize(spade)
    gamma, beta = constant_modulation(spade, style.astype("float64"))
    wide = x.astype("float64")
    mean = wide.mean(axis=(1, 2), keepdims=True)
    deviation = np.sqrt(wide.var(axis=(1, 2), keepdims=True) + 1e-5)
    # AdaIN(x, s) = std(s) * (x - mean(x)) / std(x) + mean(s), with std(s) = 1 + gamma.
    want = (1.0 + gamma)[:, None, None] * (wide - mean) / deviation + beta[:, None, None]
    assert relative_error(spade(x, segmap), want) < 1e-5


def test_a_label_acts_within_two_convolutions_of_its_place():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(1, 16, 16, 3)).astype("float32")
    labels = rng.integers(0, 4, (1, 16, 16))
    other = labels.copy()
    other[0, 6, 9] = (labels[0, 6, 9] + 1) % 4
    spade = SPADE("batch", kernel_size=3, hidden_filters=16, num_classes=4)
    spade.build(x.shape, labels.shape)
    randomize(spade)
    changed = np.any(to_numpy(spade(x, labels)) != to_numpy(spade(x, other)), axis=(0, 3))
    want = np.zeros((16, 16), bool)
    want[4:9, 7:12] = True
    np.testing.assert_array_equal(changed, want)


# Inputs.


def test_edges_are_one_more_channel_and_the_last():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(2, 6, 5, 3)).astype("float32")
    labels = rng.integers(0, 4, (2, 12, 10))
    edges = rng.integers(0, 2, (2, 12, 10)).astype("float32")
    spade = SPADE("instance", hidden_filters=16, num_classes=4)
    y = spade(x, labels, edges)
    assert spade.shared.kernel.shape == (3, 3, 5, 16)
    segmap = np.concatenate([np.eye(4)[labels], edges[..., None]], axis=-1).astype("float32")
    np.testing.assert_array_equal(to_numpy(spade(x, segmap)), to_numpy(y))
    assert np.any(to_numpy(spade(x, labels, 1.0 - edges)) != to_numpy(y))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64"])
def test_labels_of_any_integer_dtype(dtype):
    golden, spade, x, segmap = golden_spade("spade_batch3x3_f4", "auto")
    y = spade(x, segmap.astype(dtype))
    assert relative_error(y, channels_last(golden["out/eval/y"])) < 1e-5


def test_unknown_sizes_are_found_out_when_it_runs():
    golden, spade, _, _ = golden_spade("spade_syncbatch3x3_seg_smaller", "auto")
    x = keras.Input((None, None, golden.config["norm_nc"]))
    labels = keras.Input((None, None), dtype="int32")
    y = spade(x, labels)
    assert y.shape == x.shape
    inputs = [channels_last(golden["in/x"]), golden_segmap(golden, "labels")]
    got = keras.Model([x, labels], y).predict(inputs, verbose=0)
    assert relative_error(got, channels_last(golden["out/eval/y"])) < 1e-5


@pytest.mark.parametrize(
    ("shape", "dtype", "num_classes"),
    [
        ((1, 8), "int32", 5),
        ((1, 8, 8, 5, 1), "float32", 5),
        ((1, 8, 8), "float32", 5),
        ((1, 8, 8), "bool", 5),
        ((1, 8, 8, 1), "int32", 5),
        ((1, 8, 8, 1), "uint8", None),
        ((1, 8, 8), "int32", None),
    ],
)
def test_segmaps_it_cannot_read(shape, dtype, num_classes):
    spade = SPADE(num_classes=num_classes, name="here")
    with pytest.raises(ValueError, match=f"'here': {SEGMAP_WORDS}") as error:
        spade(np.zeros((1, 4, 4, 3), "float32"), np.zeros(shape, dtype))
    assert f"got shape {shape}, dtype {dtype}, num_classes={num_classes}" in str(error.value)


def test_edges_need_integer_labels():
    x, edges = np.zeros((1, 4, 4, 3), "float32"), np.zeros((1, 8, 8), "float32")
    with pytest.raises(ValueError, match=f"{SEGMAP_WORDS}.* without `edges`.* edges given"):
        SPADE(num_classes=5)(x, np.zeros((1, 8, 8, 5), "float32"), edges)


@pytest.mark.parametrize("kernel_size", [0, 2, 4, -1])
def test_kernel_sizes_are_odd(kernel_size):
    with pytest.raises(
        ValueError, match=f"`kernel_size` must be odd and positive, got {kernel_size}"
    ):
        SPADE(kernel_size=kernel_size)


def test_other_bad_arguments():
    with pytest.raises(ValueError, match="`norm` must be one of .*sync_batch.*, got 'group'"):
        SPADE("group")
    with pytest.raises(ValueError, match=r"`x` must have shape \(batch, h, w, channels\)"):
        SPADE(num_classes=5)(np.zeros((4, 4, 3), "float32"), np.zeros((1, 8, 8), "int32"))
    with pytest.raises(ValueError, match="1 x 1 maps is always zero"):
        SPADE("instance", num_classes=5)(
            np.zeros((1, 1, 1, 3), "float32"), np.zeros((1, 8, 8), "int32")
        )


# Weights.


def test_initial_weights_are_xavier_normal_with_zero_biases():
    spade = SPADE(num_classes=64)
    spade.build((1, 8, 8, 96), (1, 8, 8))
    for conv, fan_in, fan_out in [
        (spade.shared, 64 * 9, 128 * 9),
        (spade.gamma, 128 * 9, 96 * 9),
        (spade.beta, 128 * 9, 96 * 9),
    ]:
        kernel = to_numpy(conv.kernel)
        want = 0.02 * np.sqrt(2.0 / (fan_in + fan_out))
        assert abs(kernel.std() / want - 1.0) < 5.0 / np.sqrt(2 * kernel.size)
        assert abs(kernel.mean()) < 5.0 * want / np.sqrt(kernel.size)
        np.testing.assert_array_equal(to_numpy(conv.bias), 0.0)
    assert np.any(to_numpy(spade.gamma.kernel) != to_numpy(spade.beta.kernel))


@pytest.mark.parametrize("labels", [True, False])
def test_kernels_over_label_maps_start_larger_than_those_over_other_maps(labels):
    spade = SPADE(num_classes=64 if labels else None, initial_gain=1.0)
    spade.build((1, 8, 8, 96), (1, 8, 8) if labels else (1, 8, 8, 64))
    hidden, gamma = (to_numpy(conv.kernel).std() for conv in (spade.shared, spade.gamma))
    # The squares of a one-hot map have the mean 1 / 64.
    want = (8.0 if labels else 1.0) * np.sqrt(2.0 / (9 * 64 + 9 * 128))
    assert hidden == pytest.approx(want, rel=0.02)
    assert gamma == pytest.approx(np.sqrt(2.0 / (9 * 128 + 9 * 96)), rel=0.02)


@pytest.mark.parametrize("norm", ["sync_batch", "batch", "instance"])
def test_what_every_layer_must_do(norm):
    rng = np.random.default_rng(9)
    x = rng.normal(size=(2, 6, 5, 3)).astype("float32")
    labels = rng.integers(0, 4, (2, 12, 10)).astype("int32")
    edges = rng.integers(0, 2, (2, 12, 10)).astype("float32")
    weights = {"trainable": 6, "non_trainable": 0 if norm == "instance" else 2}
    for inputs, options in [
        ((x, np.eye(4, dtype="float32")[labels]), {"hidden_filters": 7, "kernel_size": 1}),
        ((x, labels), {"num_classes": 4, "kernel_size": 5}),
        ((x, labels, edges), {"num_classes": 4}),
    ]:
        check_layer(
            lambda options=options: SPADE(norm, **options),
            *inputs,
            output_shape=x.shape,
            training=True,
            **weights,
        )


def test_saved_and_loaded(tmp_path):
    golden, spade, x, segmap = golden_spade("spade_batch3x3_f1p5", "auto")
    inputs = [keras.Input(x.shape[1:]), keras.Input(segmap.shape[1:], dtype="int32")]
    keras.Model(inputs, spade(*inputs)).save(tmp_path / "spade.keras")
    model = keras.models.load_model(tmp_path / "spade.keras")
    assert relative_error(model([x, segmap]), channels_last(golden["out/eval/y"])) < 1e-5
