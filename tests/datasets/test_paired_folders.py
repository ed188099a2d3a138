import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

from keras_spade.datasets.paired_folders import paired_folders  # noqa: E402

COUNT = 10
SIZE = (12, 16)


@pytest.fixture
def tree(tmp_path):
    """`COUNT` samples of 12 x 16 pixels; the label map k is k everywhere but for one column 11."""
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
    with pytest.raises(ValueError, match=r"no folder .*instances: it should hold the instance"):
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
        ("size", r"sizes differ .*images/04\.png is 12 x 16, .*labels/04\.png is 16 x 12"),
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
    package = Path(__file__).resolve().parents[2] / "keras_spade"
    code = f"""
import sys, types
sys.modules["tensorflow"] = None  # an import of it fails
sys.modules["keras_spade"] = package = types.ModuleType("keras_spade")  # no networks, no Keras
package.__path__ = [{str(package)!r}]
import keras_spade.datasets.paired_folders
"""
    subprocess.run([sys.executable, "-c", code], check=True)
