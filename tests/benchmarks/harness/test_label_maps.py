"""The label maps of the benchmarks, and how their patterns are counted."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.harness.label_maps import (
    distinct_shares,
    load_label_maps,
    pick_batch,
    shares_line,
)
from keras_spade import layers


def test_shares_line():
    line = shares_line([{(2, 4): 0.1, (1, 2): 1.0}, {(2, 4): 0.2, (1, 2): 1.0}])
    assert line == "2 x 4: 15.0 % [10.0..20.0], 1 x 2: 100.0 % [100.0..100.0]"


def test_distinct_shares():
    # With one label, a pixel sees only its distance from each border: 0, 1 or more. So there are
    # 5 x 5 windows at 8 x 8, and as many as pixels at 4 x 4.
    flat = np.zeros((2, 8, 8), "int32")
    assert distinct_shares({"labels": flat[:1]}, 1) == {(8, 8): 25 / 64, (4, 4): 1.0}
    assert distinct_shares({"labels": flat}, 1) == {(8, 8): 25 / 128, (4, 4): 0.5}
    edges = np.stack([np.zeros((8, 8)), np.ones((8, 8))])
    assert distinct_shares({"labels": flat, "edges": edges}, 0) == {(8, 8): 50 / 128}
    # One other pixel is seen from 25 places; 25 other kinds of window do not see it. At half the
    # size it disappears: the floor rule picks even rows and columns.
    spot = np.zeros((1, 16, 16), "int32")
    spot[0, 7, 7] = 1
    assert distinct_shares({"labels": spot}, 1) == {(16, 16): 50 / 256, (8, 8): 25 / 64}
    # 3 x 3 windows only see whether they are at a border.
    assert distinct_shares({"labels": flat[:1]}, 0, window=3) == {(8, 8): 9 / 64}


@pytest.mark.parametrize(
    ("windows", "window", "stride", "pad"),
    [(((3, 1), (3, 1)), 5, 1, 2), (((4, 2),), 4, 2, 2), (((3, 2), (4, 2)), 9, 4, 5)],
)
def test_windows_are_those_of_the_layers(windows, window, stride, pad):
    labels = np.kron(np.random.default_rng(0).integers(0, 3, (1, 8, 8)), np.ones((1, 5, 5), int))
    share = distinct_shares({"labels": labels}, 0, window, stride, pad)[40, 40]
    find = layers.LabelPatterns(40, 40, 3, windows=windows, modulation="patterns")
    index = np.asarray(find(labels)["index"])
    assert share == len(np.unique(index)) / index.size


def test_shares_are_of_the_maps_the_layers_see():
    # Odd ratios too: the rows and columns that the floor rule picks.
    labels = np.random.default_rng(0).integers(0, 3, (1, 7, 11))
    picked = np.asarray(layers.nearest_resize(labels, 3, 5)).astype("int32")
    whole, half = distinct_shares({"labels": labels}, 1).values()
    assert half == distinct_shares({"labels": picked}, 0)[3, 5]
    assert whole <= 1.0


@pytest.mark.parametrize("source", ["scenes", "noise:4"])
def test_load_label_maps(source):
    maps = load_label_maps(source, 3, (32, 64))
    assert (maps.num_classes, maps.void_class, maps.label_channels) == (182, True, 184)
    for index in range(2):
        batch = pick_batch(maps.samples, index, 3)
        assert {key: (a.shape, str(a.dtype)) for key, a in batch.items()} == {
            "labels": ((3, 32, 64), "int32"),
            "image": ((3, 32, 64, 3), "float32"),
            "edges": ((3, 32, 64), "float32"),
        }
        assert np.abs(batch["image"]).max() <= 1
    assert (batch["labels"][0] != batch["labels"][1]).any()


def test_folders_are_read(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    labels = np.kron(rng.integers(0, 5, (8, 8)), np.ones((4, 4))).astype("uint8")
    image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(labels).save(tmp_path / "labels" / "a.png")
    Image.fromarray(image).save(tmp_path / "images" / "a.png")
    maps = load_label_maps(f"folders:{tmp_path}", 2, (32, 32), num_classes=5)
    np.testing.assert_array_equal(maps.samples["labels"], [labels] * 2)
    np.testing.assert_array_equal(maps.samples["image"], [image] * 2)
    assert maps.label_channels == 5


def test_bad_data_is_refused():
    with pytest.raises(ValueError, match="--data must be scenes"):
        load_label_maps("street", 1, (32, 32))
    with pytest.raises(ValueError, match="--num_classes is needed"):
        load_label_maps("folders:nowhere", 1, (32, 32))


def test_public_sets_are_read(tmp_path):
    for name in ("images", "labels"):
        (tmp_path / "train" / name).mkdir(parents=True)
    labels = np.repeat(np.arange(12, dtype="uint8"), 8 * 96).reshape(96, 96)
    Image.fromarray(labels).save(tmp_path / "train" / "labels" / "a.png")
    Image.new("RGB", (96, 96)).save(tmp_path / "train" / "images" / "a.png")
    maps = load_label_maps(f"camvid:{tmp_path}", 1, (96, 96))
    np.testing.assert_array_equal(maps.samples["labels"], [labels])
    assert (maps.num_classes, maps.void_class, maps.label_channels) == (11, True, 12)
    with pytest.raises(ValueError, match="--num_classes=3: the maps hold the id 11"):
        load_label_maps(f"camvid:{tmp_path}", 1, (96, 96), num_classes=3)


def test_maps_have_as_many_patterns_as_photographs():
    # The COCO-Stuff sample has 7 to 10 % on average at 256 x 256 (docs/performance.md).
    maps = load_label_maps("scenes", 4, (256, 256), 182)
    assert 0.05 < distinct_shares(pick_batch(maps.samples, 0, 4), 0)[256, 256] < 0.12
    # Two scenes have different classes, so they share few patterns.
    classes = [set(np.unique(labels)) for labels in maps.samples["labels"]]
    assert all(len(a & b) < 5 for i, a in enumerate(classes) for b in classes[:i])
    assert max(map(max, classes)) < 182


def test_batches_go_through_the_samples_again_and_again():
    samples = load_label_maps("scenes", 3, (32, 64), 6).samples
    assert samples["labels"].max() < 6
    batches = [pick_batch(samples, index, 2) for index in range(3)]
    labels = np.concatenate([batch["labels"] for batch in batches])
    np.testing.assert_array_equal(labels, np.concatenate([samples["labels"]] * 2))
    batch = batches[0]
    assert set(np.unique(batch["edges"])) == {0, 1}
    assert -1 <= batch["image"].min() < -0.5 < 0.5 < batch["image"].max() <= 1
