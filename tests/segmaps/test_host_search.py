"""Label patterns that the host finds before a compiled step."""

import keras
import numpy as np
import pytest
from support.backends import float64_throughout, only_on
from support.pattern_cases import KINDS, difference, label_map, randomize_all
from support.tiny_generator import TinyGenerator

from keras_spade import GauGAN, MultiScaleDiscriminator
from keras_spade.layers import LabelPatterns
from keras_spade.models.training_step import TrainingStep
from keras_spade.networks import _network
from keras_spade.segmaps import bounded_patterns, host_search, search_on_host
from keras_spade.segmaps.host_search import windows_on_host

jax_only = only_on("jax", "elsewhere, compiled functions search themselves")
SIZE = 64


def batch_for(columns):
    """Flat label maps with some columns of noise, in squares of 4 pixels."""
    rng = np.random.default_rng(1)
    labels = np.zeros((2, SIZE // 4, SIZE // 4), "int32")
    labels[:, :, :columns] = rng.integers(0, 3, (2, SIZE // 4, columns))
    instances = np.zeros((2, SIZE, SIZE), "int32")
    instances[:, 25:] = 1
    return {
        "labels": labels.repeat(4, 1).repeat(4, 2),
        "instances": instances,
        "image": rng.uniform(-1, 1, (2, SIZE, SIZE, 3)),
    }


def windows_by_hand(ids, kernel_size, strides):
    """The ids that each output pixel sees, `(batch, h, w, kernel_size**2)`."""
    pad = kernel_size // 2
    padded = np.pad(ids, ((0, 0), (pad, pad), (pad, pad)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (kernel_size,) * 2, axis=(1, 2))
    view = view[:, ::strides, ::strides]
    return view.reshape(*view.shape[:3], -1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("kernel_size", "strides"), [(1, 1), (3, 1), (3, 2), (4, 2), (5, 1)])
def test_windows_are_those_of_the_map(kind, kernel_size, strides):
    ids = label_map(kind, (2, 11, 8), 5, np.random.default_rng(0)) % 7
    want = windows_by_hand(ids, kernel_size, strides)
    members, index = windows_on_host(ids, kernel_size, strides)
    np.testing.assert_array_equal(members[index], want)
    assert len(members) == len(np.unique(want.reshape(-1, kernel_size**2), axis=0))
    assert members.dtype == index.dtype == "int32"


def test_windows_of_the_same_sum_stay_apart(monkeypatch):
    monkeypatch.setattr(host_search, "_weights", lambda count: np.ones(count, "uint64"))
    ids = np.arange(12).reshape(1, 3, 4) % 5
    members, index = windows_on_host(ids, 3)
    np.testing.assert_array_equal(members[index], windows_by_hand(ids, 3, 1))


@jax_only
@pytest.mark.parametrize("windows", [((3, 1), (3, 1)), ((3, 2), (4, 2)), ((4, 2),)])
@pytest.mark.parametrize("edges", [False, True])
def test_pixels_find_what_the_windows_see(windows, edges):
    # Two samples share most of their windows; resizing picks every other pixel.
    labels = label_map("regions", (1, 40, 60), 4, np.random.default_rng(0)).repeat(2, 0)
    labels[1, 5, 8:30] = 7
    edges = (labels == 1).astype("float32") if edges else None
    layer = LabelPatterns(20, 30, 4, windows)
    found = search_on_host([layer], labels, edges)[layer.key]

    rows = found["members_0"]
    for level in range(1, len(windows)):
        rows = np.pad(rows, ((1, 0), (0, 0)), constant_values=-1)
        rows = rows[found[f"members_{level}"]].reshape(-1, rows.shape[1] * windows[level][0] ** 2)

    # Ids are 0 outside, 1 to 4 for classes, 5 for other labels, 5 more on edges.
    want = np.where(labels == 7, 5, labels + 1) + (0 if edges is None else 5 * (labels == 1))
    want = want[:, ::2, ::2, None]
    for level, (size, strides) in enumerate(windows):
        border = ((0, 0), (size // 2,) * 2, (size // 2,) * 2, (0, 0))
        want = np.pad(want, border, constant_values=-1 if level else 0)
        want = np.lib.stride_tricks.sliding_window_view(want, (size, size), axis=(1, 2))
        want = np.moveaxis(want[:, ::strides, ::strides], 3, -1)
        want = want.reshape(*want.shape[:3], -1)
    np.testing.assert_array_equal(rows[found["index"]], want)


@jax_only
def test_one_room_for_all_tables_by_hand():
    def rows(labels, *layers):
        found = search_on_host(layers, labels)
        return [[len(t) for n, t in found[x.key].items() if n != "index"] for x in layers]

    layers = (
        LabelPatterns(96, 120, 3),
        LabelPatterns(60, 60, 3),
        LabelPatterns(96, 120, 3, ((4, 2),)),
    )
    labels = np.zeros((2, 96, 120), "int32")
    # 4 * 4 / 96 and 4 * 6 / 96 of 23040 pixels, 4 * 4 / 60 and 4 * 6 / 60 of 7200, 4 * 6 / 96 of
    # 5978; then 6 and 10 instead of the first 4.
    assert rows(labels, *layers) == [[3840, 5760], [1920, 2880], [1495]]
    rng = np.random.default_rng(0)
    labels[:, :20] = rng.integers(0, 3, (2, 20, 120))
    assert rows(labels, *layers) == [[5760, 8640], [2880, 4320], [2242]]
    labels[:, :40] = rng.integers(0, 3, (2, 40, 120))
    assert rows(labels, *layers) == [[9600, 14400], [4800, 7200], [3737]]
    labels = rng.integers(0, 3, (2, 96, 120))
    assert rows(labels, *layers) == [[], [7200, 7200], []]


@jax_only
def test_only_layers_that_read_the_labels_unchanged_are_searched_for():
    network = MultiScaleDiscriminator(
        3, (32, 32, 3), instance_edges=True, base_filters=1, num_scales=1, num_layers=2,
        norm="spade", modulation="patterns",
    )  # fmt: skip
    assert [layer.name for layer in network.pattern_layers] == ["patterns_32x32_4s2"]
    every = [x.name for x in network.layers if isinstance(x, LabelPatterns)]
    assert len(every) == 2


def gan_with(modulation):
    keras.utils.set_random_seed(0)
    common = {"num_classes": 3, "image_shape": (SIZE, SIZE, 3), "instance_edges": True}
    common["modulation"] = modulation
    discriminator = MultiScaleDiscriminator(**common, base_filters=1, num_scales=1, num_layers=2)
    gan = GauGAN(TinyGenerator(**common, spectral_norm=False), discriminator, seed=3)
    for network in (gan.generator, gan.discriminator):
        randomize_all(network)
    # Small programs, which compile fast.
    descent = [keras.optimizers.SGD(0.01) for _ in range(2)]
    gan.compile(*descent, perceptual_loss=None, feature_matching_weight=0)
    return gan


@jax_only
@pytest.mark.parametrize(("device", "searches"), [("cpu", False), ("gpu", True), ("tpu", True)])
def test_the_host_searches_for_accelerators(device, searches, monkeypatch):
    monkeypatch.setattr("jax.default_backend", lambda: device)
    assert host_search.host_searches() is searches


@jax_only
def test_training_and_painting_equal_dense_with_a_program_for_each_room(monkeypatch):
    monkeypatch.setattr(_network, "host_searches", lambda: True)
    monkeypatch.setattr(host_search, "ROOMS", (3.0,))
    monkeypatch.setattr(bounded_patterns, "ROOM", 3.0)
    traces, step = [], TrainingStep.__call__

    def counting(self, batch):
        found = batch.conditioning.get("patterns", {})
        traces.append([len(tables) for tables in found.values()])
        return step(self, batch)

    monkeypatch.setattr(TrainingStep, "__call__", counting)
    with float64_throughout():
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("float64")
        dense, gan = gan_with("dense"), gan_with("patterns")
        batches = [batch_for(columns) for columns in (1, SIZE // 4, 1)]
        for batch in batches:
            want, got = (x.train_on_batch(batch, return_dict=True) for x in (dense, gan))
            for name, value in want.items():
                assert abs(got[name] - value) < 1e-10 * max(abs(value), 1), name
        for ours, theirs in zip(gan.variables, dense.variables, strict=True):
            assert difference(ours, theirs) < 1e-10, ours.path
        # Dense: one program; with patterns, one for tables of two windows and of one, and one
        # without any, in which layers convolve.
        assert traces == [[], [3, 2], [0, 0]]
        latent = np.random.default_rng(0).normal(size=(2, 2))
        for batch in batches[:2]:
            maps = {"labels": batch["labels"], "instances": batch["instances"], "latent": latent}
            assert difference(gan.paint_checked(maps), dense.paint_checked(maps)) < 1e-10
