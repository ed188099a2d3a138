import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

from keras_spade.datasets import LabelMapping  # noqa: E402
from keras_spade.datasets.folders.paired_folders import paired_folders  # noqa: E402

COUNT = 10
SIZE = (12, 16)


@pytest.fixture
def tree(tmp_path):
    """`COUNT` samples of 12 x 16 pixels; label map k is k everywhere except for a column of 11."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels", "instances"):
        (tmp_path / name).mkdir()
    for k in range(COUNT):
        pixels = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        labels = np.full(SIZE, k, np.uint8)
        labels[:, k] = 11
        Image.fromarray(pixels).save(tmp_path / "images" / f"{k:02}.png")
        Image.fromarray(labels).save(tmp_path / "labels" / f"{k:02}.png")
        Image.fromarray(labels.astype(np.uint16) + 1000).save(
            tmp_path / "instances" / f"{k:02}.png"
        )
    return tmp_path


def epochs(dataset, count=2):
    return [[{k: v.numpy() for k, v in batch.items()} for batch in dataset] for _ in range(count)]


def assert_equal_epochs(first, second):
    for one, two in zip(first, second, strict=True):
        for left, right in zip(one, two, strict=True):
            assert left.keys() == right.keys()
            for key in left:
                assert np.array_equal(left[key], right[key])


def order(epoch):
    return [int(np.bincount(labels.ravel()).argmax()) for b in epoch for labels in b["labels"]]


def test_batches_hold_the_files_in_order(tree):
    dataset = paired_folders(tree, 12, SIZE, batch_size=4, shuffle=False)
    (batches,) = epochs(dataset, 1)
    assert [len(batch["image"]) for batch in batches] == [4, 4, 2]
    labels, images, instances = (
        np.concatenate([batch[key] for batch in batches])
        for key in ("labels", "image", "instances")
    )
    for k in range(COUNT):
        wanted = np.full(SIZE, k)
        wanted[:, k] = 11
        assert np.array_equal(labels[k], wanted)
        assert np.array_equal(instances[k], wanted + 1000)
        pixels = np.asarray(Image.open(tree / "images" / f"{k:02}.png"), np.float64)
        np.testing.assert_allclose(images[k], pixels / 127.5 - 1, atol=2e-7)


def test_black_and_white_are_exactly_the_ends_of_the_range(tmp_path):
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:2] = 255
    Image.fromarray(pixels).save(tmp_path / "images" / "x.png")
    Image.fromarray(pixels[..., 0] // 255).save(tmp_path / "labels" / "x.png")
    (batch,) = paired_folders(tmp_path, 2, (4, 4))
    assert np.array_equal(batch["image"][0, :2], np.ones((2, 4, 3)))
    assert np.array_equal(batch["image"][0, 2:], -np.ones((2, 4, 3)))


def test_element_spec_and_cardinality(tree):
    dataset = paired_folders(tree, 12, (8, 10), batch_size=4)
    assert dataset.element_spec == {
        "labels": tf.TensorSpec((None, 8, 10), tf.int32),
        "image": tf.TensorSpec((None, 8, 10, 3), tf.float32),
        "instances": tf.TensorSpec((None, 8, 10), tf.int32),
    }
    assert int(dataset.cardinality()) == 3
    dataset = paired_folders(tree, 12, (8, 10), batch_size=4, drop_remainder=True)
    assert dataset.element_spec["labels"].shape == (4, 8, 10)
    assert int(dataset.cardinality()) == 2


def test_instances_are_read_if_the_folder_exists(tree):
    assert "instances" not in paired_folders(tree, 12, SIZE, instances=False).element_spec
    (tree / "instances").rename(tree / "elsewhere")
    assert list(paired_folders(tree, 12, SIZE).element_spec) == ["labels", "image"]
    with pytest.raises(ValueError, match=r"no folder .*instances: it should contain the instance"):
        paired_folders(tree, 12, SIZE, instances=True)
    with pytest.raises(ValueError, match=r'instances must be "auto", True or False, got \'yes\''):
        paired_folders(tree, 12, SIZE, instances="yes")


def test_epochs_are_reproducible_under_the_seed_and_any_parallelism(tree):
    def make(seed=3, **options):
        return epochs(
            paired_folders(tree, 12, (8, 8), 3, load_size=(11, 13), flip=True, seed=seed, **options)
        )

    reference = make()
    assert_equal_epochs(reference, make())
    assert_equal_epochs(reference, make(num_parallel_calls=1))
    assert_equal_epochs(reference, make(num_parallel_calls=7))
    orders = [order(epoch) for epoch in reference]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(COUNT))
    assert orders[0] != orders[1]
    assert order(make(seed=4)[0]) != orders[0]


def test_crops_and_flips_are_new_in_every_epoch_also_in_fixed_order(tree):
    dataset = paired_folders(tree, 12, (8, 8), COUNT, load_size=(12, 16), flip=True, shuffle=False)
    (first,), (second,) = epochs(dataset)
    assert order([first]) == order([second]) == list(range(COUNT))
    assert not np.array_equal(first["image"], second["image"])


def test_half_of_the_samples_are_flipped_jointly(tree):
    dataset = paired_folders(tree, 12, SIZE, COUNT, flip=True, shuffle=False)
    flipped = 0
    for epoch in epochs(dataset, 20):
        for k, labels in enumerate(epoch[0]["labels"]):
            column = int(np.flatnonzero(labels[0] == 11)[0])
            assert column in (k, SIZE[1] - 1 - k)
            pixels = np.asarray(Image.open(tree / "images" / f"{k:02}.png"), np.float64)
            if column != k:
                flipped += 1
                pixels = pixels[:, ::-1]
            np.testing.assert_allclose(epoch[0]["image"][k], pixels / 127.5 - 1, atol=2e-7)
            assert np.array_equal(epoch[0]["instances"][k], labels + 1000)
    assert 70 <= flipped <= 130  # 200 fair draws: 100 +- 7.1


def test_random_crops_reach_every_corner(tree):
    dataset = paired_folders(tree, 12, (11, 14), COUNT, load_size=SIZE, shuffle=False)
    lefts = set()
    for epoch in epochs(dataset, 10):
        labels = epoch[0]["labels"][5]
        lefts.add(5 - int(np.flatnonzero(labels[0] == 11)[0]))
    assert lefts == {0, 1, 2}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("truncated", r"images/04\.png: cannot be read as an image: .*truncated"),
        ("empty", r"images/04\.png: cannot be read as an image: the file is empty"),
        ("rgb", r"labels/04\.png: ids must be in one channel .* got mode RGB"),
        ("range", r"labels/04\.png: label ids out of range: 77; the classes are 0\.\.11"),
        ("void", r"labels/04\.png: 3 pixels have the void id 255;.*void_class=True"),
        (
            "size",
            r"sizes differ .*images/04\.png is 12 x 16, .*labels/04\.png is 16 x 12; resize one of",
        ),
    ],
)
def test_the_error_of_the_iterator_names_the_file(tree, spoil, message):
    image, label = tree / "images" / "04.png", tree / "labels" / "04.png"
    labels = np.zeros(SIZE, np.uint8)
    if spoil == "truncated":
        image.write_bytes(image.read_bytes()[:300])
    elif spoil == "empty":
        image.write_bytes(b"")
    elif spoil == "rgb":
        labels = np.zeros((*SIZE, 3), np.uint8)
    elif spoil == "range":
        labels[3, 3] = 77
    elif spoil == "void":
        labels[3, 3:6] = 255
    elif spoil == "size":
        labels = labels.T.copy()
    Image.fromarray(labels).save(label)
    dataset = paired_folders(tree, 12, SIZE, batch_size=5, shuffle=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        next(iter(dataset))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, r"batch_size must be a positive integer, got 0"),
        ({"num_parallel_calls": 0}, r"num_parallel_calls must be a positive integer, got 0"),
        ({"num_classes": 0}, r"num_classes must be a positive integer, got 0"),
        ({"load_size": (4, 4)}, r"load_size must be at least image_size=\(12, 16\)"),
        ({"directory": "nowhere/at/all"}, r"directory must be an existing folder, got 'nowhere"),
    ],
)
def test_bad_arguments_are_named(tree, arguments, message):
    with pytest.raises(ValueError, match=message):
        paired_folders(**{"directory": tree, "num_classes": 12, "image_size": SIZE, **arguments})


def test_the_module_imports_without_tensorflow():
    package = Path(__file__).resolve().parents[3] / "keras_spade"
    code = f"""
import sys, types
sys.modules["tensorflow"] = None  # an import of it fails
sys.modules["keras_spade"] = package = types.ModuleType("keras_spade")  # no networks, no Keras
package.__path__ = [{str(package)!r}]
import keras_spade.datasets.folders.paired_folders
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_cache_gives_the_batches_of_the_files_that_were(tree):
    def make(**options):
        return paired_folders(tree, 12, (8, 8), 3, load_size=(11, 13), flip=True, **options)

    wanted = epochs(make(), 3)
    cached = make(cache=True)
    assert_equal_epochs(epochs(cached, 1), wanted[:1])
    for name in ("images", "labels", "instances"):
        for file in (tree / name).iterdir():
            file.write_bytes(b"")
    assert_equal_epochs(epochs(cached, 2), wanted[1:])


def test_shards_are_the_parts_of_every_batch(tree):
    options = {"load_size": (11, 13), "flip": True, "drop_remainder": True}
    (whole,) = epochs(paired_folders(tree, 12, (8, 8), 4, **options), 1)
    shards = [
        epochs(paired_folders(tree, 12, (8, 8), 4, shard=(index, 2), **options), 1)[0]
        for index in range(2)
    ]
    assert len(whole) == 2
    for batch, *parts in zip(whole, *shards, strict=True):
        for key in batch:
            assert np.array_equal(batch[key], np.concatenate([part[key] for part in parts]))
    dataset = paired_folders(tree, 12, (8, 8), 4, shard=(1, 2), **options)
    rest = dataset.source.for_epoch(tf.constant(0, tf.int64), tf.constant(1, tf.int64))
    (batch,) = rest.as_numpy_iterator()
    assert np.array_equal(batch["image"], shards[1][1]["image"])


@pytest.mark.parametrize(
    ("shard", "message"),
    [
        ((2, 2), r"shard must be \(index, count\) with 0 <= index < count, got \(2, 2\)"),
        (1, r"shard must be .*, got 1"),
        ((0.5, 2), r"shard must be .*, got \(0\.5, 2\)"),
        ((0, 3), r"batch_size, that of all workers together, a multiple of 3; got True and 4"),
    ],
)
def test_a_bad_shard_is_reported(tree, shard, message):
    with pytest.raises(ValueError, match=message):
        paired_folders(tree, 12, (8, 8), 4, drop_remainder=True, shard=shard)


@pytest.mark.parametrize("seed", [1.5, "x"])
def test_a_seed_is_an_integer(tree, seed):
    with pytest.raises(ValueError, match="seed must be an integer or None, got"):
        paired_folders(tree, 12, (8, 8), seed=seed)


def test_a_shard_needs_the_seed_of_the_others(tree):
    with pytest.raises(ValueError, match="with shard, seed must be an integer.*; got None"):
        paired_folders(tree, 12, (8, 8), 4, drop_remainder=True, shard=(0, 2), seed=None)


def test_edges_are_those_of_the_layer(tree):
    rng = np.random.default_rng(0)
    instances = np.kron(rng.integers(0, 3, (3, 4)), np.ones((4, 4))).astype("uint16")
    Image.fromarray(instances).save(tree / "instances" / "00.png")
    batch = next(iter(paired_folders(tree, 12, SIZE, edges=True, shuffle=False)))
    wanted = np.zeros(SIZE)
    for row in range(SIZE[0]):
        for column in range(SIZE[1]):
            for r, c in (
                (row, column + 1),
                (row, column - 1),
                (row + 1, column),
                (row - 1, column),
            ):
                if 0 <= r < SIZE[0] and 0 <= c < SIZE[1]:
                    wanted[row, column] += instances[row, column] != instances[r, c]
    assert np.array_equal(batch["edges"][0], wanted > 0) and 0 < wanted.sum() < wanted.size
    assert batch["edges"].dtype == tf.float32
    with pytest.raises(ValueError, match="edges=True needs instance maps, but there are none"):
        paired_folders(tree, 12, SIZE, edges=True, instances=False)


def test_a_bad_file_is_skipped_and_the_next_sample_takes_its_place(tree, caplog):
    (tree / "images" / "04.png").write_bytes(b"")
    Image.fromarray(np.full(SIZE, 77, np.uint8)).save(tree / "labels" / "09.png")
    (tree / "labels" / "07.png").unlink()

    def make(**options):
        return paired_folders(tree, 12, SIZE, 3, on_bad_file="skip", **options)

    dataset = make(shuffle=False)
    (first,) = epochs(dataset, 1)
    assert order(first) == [0, 1, 2, 3, 5, 5, 6, 8, 0]
    for batch in first:
        for labels, instances in zip(batch["labels"], batch["instances"], strict=True):
            assert np.array_equal(labels + 1000, instances)
    assert sorted(dataset.source.samples.skipped) == sorted(
        str(tree / name)
        for name in ("images/04.png", "images/07.png", "instances/07.png", "images/09.png")
    )
    assert "labels/09.png: label ids out of range: 77" in caplog.text
    assert_equal_epochs(epochs(make(num_parallel_calls=1)), epochs(make(num_parallel_calls=5)))
    with pytest.raises(ValueError, match='on_bad_file must be "error" or "skip", got \'pass\''):
        paired_folders(tree, 12, SIZE, on_bad_file="pass")


def test_skipping_ends_if_nothing_can_be_read(tree):
    dataset = paired_folders(tree, 2, SIZE, 3, on_bad_file="skip")
    for file in (tree / "labels").iterdir():
        Image.fromarray(np.full(SIZE, 77, np.uint8)).save(file)
    wanted = r"10 samples in a row cannot be read: .*label ids out of range: 77"
    with pytest.raises(tf.errors.InvalidArgumentError, match=wanted):
        next(iter(dataset))


@pytest.mark.parametrize(
    ("size", "options", "loaded"),
    [
        ((30, 40), {"load_size": 24}, (24, 24)),
        ((30, 40), {"resize": "scale_width", "load_size": 24}, (18, 24)),
        ((30, 41), {"resize": "scale_width"}, (11, 16)),
        ((40, 30), {"resize": "scale_short_side", "load_size": 20}, (26, 20)),
        ((30, 40), {"resize": "scale_short_side", "load_size": 20}, (20, 26)),
        ((30, 40), {"resize": "none"}, (30, 40)),
    ],
)
def test_ways_to_resize(tmp_path, size, options, loaded):
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    image = Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8))
    ids = rng.integers(0, 5, size, dtype=np.uint8)
    image.save(tmp_path / "images" / "x.png")
    Image.fromarray(ids).save(tmp_path / "labels" / "x.png")
    crop = (10, 16)
    (batch,) = paired_folders(tmp_path, 5, crop, crop="center", **options)
    top, left = (loaded[0] - crop[0]) // 2, (loaded[1] - crop[1]) // 2
    window = np.s_[top : top + crop[0], left : left + crop[1]]
    pixels = np.asarray(image.resize(loaded[::-1], Image.BICUBIC))[window]
    np.testing.assert_allclose(batch["image"][0], pixels / 127.5 - 1, atol=2e-7)
    rows, columns = (
        [int(np.float32(i) * np.float32(np.float32(a) / np.float32(b))) for i in range(b)]
        for a, b in zip(size, loaded, strict=True)
    )
    assert np.array_equal(batch["labels"][0], ids[rows][:, columns][window])


def test_an_image_that_a_resize_leaves_too_small_is_named(tmp_path):
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.zeros((10, 40), np.uint8)).save(tmp_path / name / "x.png")
    wanted = (
        r"x\.png: 10 x 40 .* are 5 x 20 with resize=.scale_width., less than image_size=\(8, 8\)"
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=wanted):
        next(iter(paired_folders(tmp_path, 1, (8, 8), resize="scale_width", load_size=20)))


def test_folders_in_folders_of_other_names(tmp_path):
    for path in ("photos/a/1.jpg", "photos/b/1.jpeg", "masks/a/1.png", "masks/b/1.bmp"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), "ab".index(path.split("/")[1]), np.uint8)).save(
            tmp_path / path
        )
    folders = {"image_folder": "photos", "label_folder": "masks"}
    (batch,) = paired_folders(tmp_path, 2, (4, 4), 2, shuffle=False, **folders)
    assert batch["labels"].numpy()[:, 0, 0].tolist() == [0, 1]


def test_a_mapping_takes_the_place_of_the_void_label(tree):
    mapping = LabelMapping(remap={k: 0 for k in range(10)} | {11: 1}, void_labels=[3])
    batches = epochs(paired_folders(tree, 2, SIZE, label_mapping=mapping, void_class=True), 1)[0]
    assert sorted({int(i) for batch in batches for i in batch["labels"].ravel()}) == [0, 1, 2]
    with pytest.raises(ValueError, match="void_label and label_mapping exclude each other"):
        paired_folders(tree, 2, SIZE, label_mapping=mapping, void_label=3)
