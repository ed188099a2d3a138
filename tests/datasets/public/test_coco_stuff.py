from pathlib import Path

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

from keras_spade.datasets.public.coco_stuff import coco_stuff  # noqa: E402

SAMPLE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "coco_stuff_sample"


@pytest.fixture
def tree(tmp_path):
    """Two training samples (ids 0, 181 and void) and a val sample without an instance map."""
    for folder in ("train_img", "train_label", "train_inst", "val_img", "val_label"):
        (tmp_path / folder).mkdir()
    ids = np.array([[0, 181], [255, 7]], np.uint8)
    for split, names in (("train", "ab"), ("val", "c")):
        for name in names:
            pixels = np.full((2, 2, 3), ord(name), np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{split}_img" / f"{name}.bmp")
            Image.fromarray(ids).save(tmp_path / f"{split}_label" / f"{name}.png")
            if split == "train":
                Image.fromarray(ids).save(tmp_path / "train_inst" / f"{name}.png")
    return tmp_path


def test_void_is_class_182(tree):
    (batch,) = coco_stuff(tree, image_size=(2, 2), batch_size=2, shuffle=False)
    assert batch["labels"].numpy().tolist() == [[[0, 181], [182, 7]]] * 2
    assert batch["instances"].numpy().tolist() == [[[0, 181], [255, 7]]] * 2
    means = batch["image"].numpy().mean(axis=(1, 2, 3))
    np.testing.assert_allclose(means, [97 / 127.5 - 1, 98 / 127.5 - 1], atol=1e-6)


def test_val_has_folders_of_its_own(tree):
    (batch,) = coco_stuff(tree, "val", image_size=(2, 2))
    assert sorted(batch) == ["image", "labels"]
    np.testing.assert_allclose(batch["image"], 99 / 127.5 - 1, atol=1e-6)


def test_void_pixels_without_a_void_class_are_an_error(tree):
    dataset = coco_stuff(tree, image_size=(2, 2), void_class=False, shuffle=False)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"train_label/a\.png: 1 pixels have the void id 255"
    ):
        next(iter(dataset))


def test_an_unknown_split_is_named(tree):
    with pytest.raises(ValueError, match=r'split must be "train" or "val", got \'test\''):
        coco_stuff(tree, "test")
    with pytest.raises(ValueError, match=r"directory must be an existing folder"):
        coco_stuff(tree / "no")


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="shared/data/coco_stuff_sample is not here")
def test_the_real_sample():
    train = coco_stuff(SAMPLE, image_size=(64, 64), load_size=(72, 72), batch_size=13, flip=True)
    (batch,) = train
    labels, image = batch["labels"].numpy(), batch["image"].numpy()
    assert labels.shape == batch["instances"].shape == (13, 64, 64)
    assert labels.min() >= 0 and labels.max() == 182
    assert -1 <= image.min() < -0.9 and 0.9 < image.max() <= 1

    (batch,) = coco_stuff(SAMPLE, "val", image_size=(60, 80), batch_size=4, shuffle=False)
    file = sorted((SAMPLE / "val_label").iterdir())[2]
    source = np.asarray(Image.open(file)).astype(int)
    source[source == 255] = 182
    height, width = source.shape
    for row in range(60):
        for column in range(80):
            r = int(np.float32(row) * (np.float32(height) / np.float32(60)))
            c = int(np.float32(column) * (np.float32(width) / np.float32(80)))
            assert batch["labels"][2, row, column] == source[r, c]
