import json

import keras
import numpy as np
import pytest
from support.backends import BACKEND, not_on, only_on
from support.harness import to_numpy
from support.pattern_cases import KINDS, label_map

from keras_spade.layers import LabelPatterns, encode_labels, nearest_resize
from keras_spade.segmaps.label_patterns import one_hot_pixels

CLASSES = 4
CHAINS = {
    "spade": ((3, 1), (3, 1)),
    "spade_5": ((5, 1), (5, 1)),
    "discriminator": ((3, 2), (3, 2), (4, 2)),
    "latent_grid": ((3, 1),),
}
NO_MAP = not_on("jax", "layers make the one-hot map themselves, see test_bounded_patterns.py")


def find(labels, edges=None, size=None, windows=CHAINS["spade"], modulation="patterns"):
    """The patterns of labels, as arrays."""
    size = labels.shape[1:] if size is None else size
    layer = LabelPatterns(*size, CLASSES, windows, modulation)
    patterns = {name: to_numpy(x) for name, x in layer(labels, edges).items()}
    return cut(patterns, len(windows)) if BACKEND == "jax" else patterns


def cut(patterns, levels):
    """The rows that other backends return: on JAX, tables are longer than the patterns."""
    used = np.max(patterns["index"]) + 1
    for level in reversed(range(levels)):
        name = f"members_{level}"
        patterns[name] = patterns[name][:used]
        used = np.max(patterns[name])
    return {name: x for name, x in patterns.items() if name not in ("ids", "fit")}


def make_edges(labels, rng):
    return rng.integers(0, 2, labels.shape).astype("float32")


def windows_of(ids, kernel_size, strides):
    """The padded window of each output pixel, `(batch, h, w, kernel_size**2)`."""
    pad = kernel_size // 2
    padded = np.pad(ids, [(0, 0), (pad, pad), (pad, pad)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel_size,) * 2, (1, 2))
    windows = windows[:, ::strides, ::strides]
    return windows.reshape(*windows.shape[:3], -1)


def documented_ids(labels, edges):
    """0 outside, `label + 1`, one more than these for no class, and as many again on edges."""
    inside = (labels >= 0) & (labels < CLASSES)
    ids = np.where(inside, labels, CLASSES) + 1
    return ids if edges is None else ids + (CLASSES + 1) * (edges != 0)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("has_edges", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_each_window_of_the_chain_is_found_again(kind, has_edges, chain):
    rng = np.random.default_rng(0)
    labels = label_map(kind, (2, 11, 14), CLASSES, rng)
    edges = make_edges(labels, rng) if has_edges else None
    patterns = find(labels, edges, windows=CHAINS[chain])
    assert set(patterns) == {f"members_{i}" for i in range(len(CHAINS[chain]))} | {
        "index",
        "pixels",
    }
    # Starting from the ids: a window's number is that of the row with its members.
    below = documented_ids(labels, edges)
    for level, (kernel_size, strides) in enumerate(CHAINS[chain]):
        members = patterns[f"members_{level}"]
        numbers = {tuple(row): number for number, row in enumerate(members.tolist())}
        assert len(numbers) == len(members)
        windows = windows_of(below, kernel_size, strides)
        rows = windows.reshape(-1, kernel_size**2).tolist()
        index = np.reshape([numbers[tuple(row)] for row in rows], windows.shape[:3])
        assert set(index.ravel()) == set(range(len(members)))
        below = index + 1
    np.testing.assert_array_equal(patterns["index"], index)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_stand_for_the_pixels_of_the_one_hot_map(kind):
    rng = np.random.default_rng(1)
    labels = label_map(kind, (2, 9, 8), CLASSES, rng)
    for edges in (None, make_edges(labels, rng)):
        pixels = find(labels, edges)["pixels"]
        want = np.where(labels[..., None] == np.arange(CLASSES), 1.0, 0.0)
        if edges is not None:
            want = np.concatenate([want, edges[..., None]], axis=-1)
        np.testing.assert_array_equal(pixels[documented_ids(labels, edges)], want)
        np.testing.assert_array_equal(pixels[0], 0.0)
        assert pixels.shape == ((1 + (edges is not None)) * (CLASSES + 1) + 1, want.shape[-1])


def test_three_classes_with_edges_by_hand():
    want = [
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 0],
        [1, 0, 0, 1],
        [0, 1, 0, 1],
        [0, 0, 1, 1],
        [0, 0, 0, 1],
    ]
    np.testing.assert_array_equal(one_hot_pixels(3, has_edges=True), want)
    np.testing.assert_array_equal(one_hot_pixels(3, has_edges=False), np.array(want)[:5, :3])


@pytest.mark.parametrize("size", [(16, 12), (7, 9), (5, 30), (1, 1)])
def test_sizes_follow_the_floor_rule(size):
    rng = np.random.default_rng(2)
    labels = label_map("noise", (2, 13, 18), CLASSES, rng)
    edges = make_edges(labels, rng)
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, (13, 18), strict=True))
    picked = np.ix_([0, 1], rows, columns)
    if size != (5, 30):  # There, float32 rounding affects the rule.
        np.testing.assert_array_equal(nearest_resize(labels, *size), labels[picked])
    got = find(labels, edges, size)
    want = find(np.array(nearest_resize(labels, *size)), np.array(nearest_resize(edges, *size)))
    for name in want:
        np.testing.assert_array_equal(got[name], want[name])


def test_auto_gives_small_maps_patterns_whatever_they_hold():
    rng = np.random.default_rng(3)
    for kind in ("noise", "flat"):
        got = find(label_map(kind, (3, 32, 32), CLASSES, rng), modulation="auto")
        assert "map" not in got


@NO_MAP
@pytest.mark.parametrize("has_edges", [False, True])
def test_auto_gives_large_noise_the_dense_map(has_edges):
    rng = np.random.default_rng(4)
    labels = label_map("noise", (2, 33, 32), CLASSES, rng)
    edges = make_edges(labels, rng) if has_edges else None
    patterns = find(labels, edges, modulation="auto")
    want = encode_labels(labels, CLASSES, 33, 32, edges)
    np.testing.assert_array_equal(patterns["map"], to_numpy(want))
    np.testing.assert_array_equal(patterns["index"].ravel(), 1 + np.arange(labels.size))
    for level in (0, 1):
        np.testing.assert_array_equal(patterns[f"members_{level}"], np.zeros((1, 9)))


@NO_MAP
@pytest.mark.parametrize("has_edges", [False, True])
@pytest.mark.parametrize("kind", ["flat", "pixels", "regions"])
def test_auto_gives_large_flat_maps_patterns(kind, has_edges):
    rng = np.random.default_rng(5)
    labels = label_map(kind, (2, 40, 48), CLASSES, rng)
    edges = (labels == 0).astype("float32") if has_edges else None
    auto, patterns = (find(labels, edges, modulation=choice) for choice in ("auto", "patterns"))
    assert auto.pop("map").shape == (1, 1, 1, CLASSES + has_edges)
    np.testing.assert_array_equal(auto.pop("index"), patterns["index"])
    for name in auto:
        np.testing.assert_array_equal(auto[name], patterns[name])


@NO_MAP
def test_auto_changes_over_at_three_quarters():
    # With a 1 x 1 window, the share of distinct patterns is that of distinct labels.
    for share, dense in ((0.74, False), (0.76, True)):
        count = int(share * 40 * 50)
        labels = (np.arange(40 * 50) % count).reshape(1, 40, 50)
        layer = LabelPatterns(40, 50, count, ((1, 1),), "auto")
        assert (layer(labels)["map"].shape[1] == 40) == dense


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("modulation", ["patterns", "auto"])
@pytest.mark.parametrize("has_edges", [False, True])
def test_symbolic_shapes_are_those_of_real_patterns(has_edges, modulation, chain):
    rng = np.random.default_rng(6)
    for size in ((11, 14), (72, 80), (150, 140)):
        labels = label_map("regions", (2, 16, 16), CLASSES, rng)
        inputs = [labels, make_edges(labels, rng)] if has_edges else [labels]
        layer = LabelPatterns(*size, CLASSES, CHAINS[chain], modulation)
        real = layer(*inputs)
        symbols = [keras.KerasTensor((2, None, None), dtype=a.dtype) for a in inputs]
        spec = layer.compute_output_spec(*symbols)
        assert set(spec) == set(real)
        for name, symbol in spec.items():
            assert symbol.dtype == keras.backend.standardize_dtype(real[name].dtype)
            assert len(symbol.shape) == len(real[name].shape), name
            for length, actual in zip(symbol.shape, real[name].shape, strict=True):
                assert length in (None, actual), name


@only_on("tensorflow", "compiled for sizes that are not known")
@pytest.mark.parametrize("modulation", ["patterns", "auto"])
def test_unknown_sizes(modulation):
    import tensorflow as tf

    layer = LabelPatterns(40, 36, CLASSES, modulation=modulation)
    call = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None), tf.int32)])
    for kind in ("noise", "regions"):
        labels = label_map(kind, (2, 80, 72), CLASSES, np.random.default_rng(7))
        got, want = call(labels), layer(labels)
        for name in want:
            np.testing.assert_array_equal(to_numpy(got[name]), to_numpy(want[name]))


def test_pixels_have_the_compute_dtype():
    layer = LabelPatterns(40, 40, CLASSES, dtype="mixed_bfloat16")
    patterns = layer(np.zeros((1, 8, 8), "int32"))
    for name in {"pixels", "map"} & set(patterns):
        assert keras.backend.standardize_dtype(patterns[name].dtype) == "bfloat16"


def test_config_rebuilds_the_layer():
    layer = LabelPatterns(8, 6, 3, windows=((5, 1), (4, 2)), modulation="patterns", name="find")
    config = json.loads(json.dumps(layer.get_config()))
    rebuilt = LabelPatterns.from_config(config)
    assert json.loads(json.dumps(rebuilt.get_config())) == config
    assert rebuilt.windows == ((5, 1), (4, 2)) and (rebuilt.height, rebuilt.width) == (8, 6)
    labels = label_map("noise", (1, 9, 9), 3, np.random.default_rng(8))
    for name, want in layer(labels).items():
        np.testing.assert_array_equal(to_numpy(rebuilt(labels)[name]), to_numpy(want))
    assert layer.weights == []


def test_bad_arguments():
    with pytest.raises(ValueError, match="`modulation` must be one of .*, got 'sparse'"):
        LabelPatterns(8, 8, 3, modulation="sparse")
    with pytest.raises(ValueError, match='`modulation="dense"` needs no patterns'):
        LabelPatterns(8, 8, 3, modulation="dense")
    for segmap in (np.zeros((1, 8, 8), "float32"), np.zeros((8, 8), "int32")):
        with pytest.raises(ValueError, match="'here': `segmap` must be integer labels"):
            LabelPatterns(8, 8, 3, name="here")(segmap)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int64"])
def test_narrow_labels_do_not_overflow(dtype):
    num_classes = 120 if dtype == "int8" else 183
    labels = np.arange(num_classes).reshape(1, 1, -1).astype(dtype)
    edges = np.ones(labels.shape, "float32")
    layer = LabelPatterns(1, num_classes, num_classes, ((1, 1),), "patterns")
    members = to_numpy(layer(labels, edges)["members_0"])
    assert sorted(members.ravel()) == list(range(num_classes + 2, 2 * num_classes + 2))
