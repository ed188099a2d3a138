"""Folders with usual names, and parts of data, are found, and the suggested calls load them."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

import keras_spade  # noqa: E402
from keras_spade.datasets import inspect_dataset, paired_folders  # noqa: E402


def pair(root, images, labels, name, label, suffix=".jpg"):
    """A photograph, and a label map with one id."""
    for folder, end, value in ((images, suffix, 90), (labels, ".png", label)):
        path = root / folder / f"{name}{end}"
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (32, 48) if folder == labels else (32, 48, 3)
        Image.fromarray(np.full(shape, value, "uint8")).save(path)


def call_of(report):
    """The directory and other arguments of the suggested call."""
    mapping = keras_spade.datasets.LabelMapping
    recorder = SimpleNamespace(
        paired_folders=lambda directory, **arguments: (directory, arguments), LabelMapping=mapping
    )
    return eval(report.call, {"keras_spade": SimpleNamespace(datasets=recorder)})


def labels_of(report):
    """The first label of each sample that the suggested call loads."""
    dataset = eval(report.call, {"keras_spade": keras_spade})
    samples = dataset.source.samples
    return [int(samples.load(number)[0][0, 0]) for number in range(len(samples))]


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("images", "masks"),
        ("Images", "Annotations"),
        ("JPEGImages", "SegmentationClass"),
        ("img", "gt"),
        ("original_images", "Ground-Truth"),
        ("images", "label_images"),
        ("train_images", "train_masks"),
        ("train", "train_labels"),
        ("img_dir", "ann_dir"),
        ("images_png", "masks_png"),
        ("original_images", "label_images_semantic"),
        ("JPEGImages", "SegmentationClassPNG"),
        ("images_prepped_train", "annotations_prepped_train"),
        ("img", "ann"),
        ("images", "segmentation_masks"),
        ("images", "labels_png"),
        ("images", "mask_images"),
        ("images", "color_masks"),
        ("images", "ground_truth_maps"),
        ("photos", "segmentation_maps"),
        ("leftImg", "gtFine"),
        ("drone_images", "drone_masks"),
        ("trainA", "trainB"),
        ("B", "A"),
        ("x", "y"),
    ],
)
def test_usual_names_are_found(tmp_path, monkeypatch, images, labels):
    monkeypatch.chdir(tmp_path)
    pair(tmp_path, images, labels, "a", 0)
    pair(tmp_path, images, labels, "b", 1)
    directory, arguments = call_of(report := inspect_dataset(".", verbose=0))
    assert directory == "." and arguments["num_classes"] == 2
    assert arguments.get("image_folder", "images") == images
    assert arguments["label_folder"] == labels and labels_of(report) == [0, 1]


@pytest.mark.parametrize("letters", ["AB", "BA"])
def test_of_folders_called_by_letters_the_flat_one_has_the_labels(tmp_path, letters):
    rng = np.random.default_rng(0)
    for name in "12":
        for letter, pixels in zip(letters, rng.integers(0, 256, (2, 32, 48)), strict=True):
            path = tmp_path / f"train{letter}" / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            pixels = pixels if letter == letters[0] else np.arange(48)[None].repeat(32, 0) // 24
            Image.fromarray(pixels.astype("uint8")).save(path)
    _, arguments = call_of(inspect_dataset(tmp_path, verbose=0))
    assert (arguments["image_folder"], arguments["label_folder"]) == tuple(
        f"train{letter}" for letter in letters
    )


def test_masks_in_ids_come_before_those_in_colors_and_of_other_things(tmp_path):
    for labels in ("RGB_color_masks", "label_images", "predicted_labels"):
        pair(tmp_path / "Train" / "Urban", "images_png", labels, "a", 1)
    pair(tmp_path / "Train" / "Rural", "images_png", "label_images", "a", 1)
    pair(tmp_path / "Val" / "Rural", "images_png", "label_images", "a", 1)
    directory, arguments = call_of(inspect_dataset(tmp_path, verbose=0))
    assert directory == str(tmp_path / "Train")
    assert arguments["label_folder"] == "*/label_images"


@pytest.mark.parametrize("labels", ["masks", "ann_dir"])
def test_labels_that_are_jpeg_are_refused_as_such(tmp_path, labels):
    pair(tmp_path, "images", "images", "a", 0)
    (tmp_path / "images").rename(tmp_path / labels)
    pair(tmp_path, "images", "depth", "a", 0)
    message = (
        rf"no label files .* in .*{labels}, which contains a.jpg.*; JPEG is not suitable for ids"
    )
    (tmp_path / labels / "a.png").unlink()
    with pytest.raises(ValueError, match=message):
        inspect_dataset(tmp_path, verbose=0)


def test_names_of_other_things_are_passed_over(tmp_path):
    """Pascal VOC: boxes in `Annotations`; YOLO's: outlines as text in `labels`."""
    pair(tmp_path / "VOC2012", "JPEGImages", "SegmentationClass", "a", 1)
    for folder in ("Annotations", "labels"):
        (tmp_path / "VOC2012" / folder).mkdir()
        (tmp_path / "VOC2012" / folder / "a.xml").write_text("<box/>")
    pair(tmp_path / "VOC2012", "JPEGImages", "SegmentationObject", "a", 7)
    directory, arguments = call_of(report := inspect_dataset(tmp_path, verbose=0))
    assert directory == str(tmp_path / "VOC2012")
    folders = {name: value for name, value in arguments.items() if name.endswith("folder")}
    assert folders == {
        "image_folder": "JPEGImages",
        "label_folder": "SegmentationClass",
        "instance_folder": "SegmentationObject",
    }
    assert report.samples == 1


def test_parts_are_one_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        pair(tmp_path, f"set/Tile {number}/images", f"set/Tile {number}/masks", "x", number)
    directory, arguments = call_of(report := inspect_dataset(".", verbose=0))
    assert directory == "set" and report.samples == 3
    assert (arguments["image_folder"], arguments["label_folder"]) == ("*/images", "*/masks")
    assert labels_of(report) == [0, 1, 2]
    (batch,) = paired_folders(
        "set", 3, (8, 8), 3, image_folder="*/images", label_folder="*/masks", shuffle=False
    )
    assert batch["labels"][:, 0, 0].numpy().tolist() == [0, 1, 2]


def test_of_training_and_validation_sets_the_first_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for part, label in (("valid", 0), ("train", 1), ("test", 2)):
        pair(tmp_path, f"{part}/img", f"{part}/seg", part, label)
    report = inspect_dataset(".", verbose=0)
    assert call_of(report)[0] == "train" and report.pixels == {1: 1.0}
    message = "is another part of the data, which was not inspected"
    assert [note.split(" ")[0] for note in report.notes if message in note] == [
        "test/img",
        "valid/img",
    ]
    assert [note for note in report.notes if note.endswith("train.py as --validation_data=valid")]
    assert report.command.endswith(f" --run_dir=runs/{tmp_path.name}")


@pytest.mark.parametrize("parts", [("",), ("val", "train")])
def test_pairs_in_one_folder_are_found(tmp_path, monkeypatch, parts):
    monkeypatch.chdir(tmp_path)
    for part in parts:
        pair(tmp_path, part, part, "b", 1)
        pair(tmp_path, part, part, "a", 0, ".JPG")
        Image.fromarray(np.full((32, 48), 0, "uint8")).save(tmp_path / part / "a.png")
        Image.fromarray(np.full((32, 48), 1, "uint8")).save(tmp_path / part / "b.png")
    directory, arguments = call_of(report := inspect_dataset(".", verbose=0))
    assert str(directory) == ("." if parts == ("",) else "train") and report.samples == 2
    assert (arguments["image_folder"], arguments["label_folder"]) == (".", ".")
    assert labels_of(report) == [0, 1]
    assert [note for note in report.notes if "val is another part" in note] or parts == ("",)


def test_given_folders_are_taken_and_the_other_found(tmp_path):
    pair(tmp_path, "raw shots", "masks", "a", 0)
    _, arguments = call_of(inspect_dataset(tmp_path, image_folder="raw shots", verbose=0))
    assert (arguments["image_folder"], arguments["label_folder"]) == ("raw shots", "masks")


def test_a_missing_folder_tells_which_are_there_and_the_argument(tmp_path):
    for name in ("pictures of dogs", "outlines", ".hidden"):
        (tmp_path / name).mkdir()
    wanted = (
        f"no folder {tmp_path}/images: it should contain the image files; {tmp_path} contains "
        "outlines, pictures of dogs; use image_folder for another one, or several, such as "
        "'*/images'"
    )
    for function in (inspect_dataset, lambda data: paired_folders(data, 2, (8, 8))):
        with pytest.raises(ValueError) as caught:
            function(tmp_path)
        assert str(caught.value) == wanted
    with pytest.raises(ValueError, match=rf"got '.*/no/where'; {tmp_path} contains outlines, p"):
        inspect_dataset(tmp_path / "no" / "where")
    with pytest.raises(
        ValueError, match=r"no folder .*/\*/masks: .* contains a, outlines, .* label_folder"
    ):
        pair(tmp_path, "a/images", "a/labels", "x", 0)
        paired_folders(tmp_path, 2, (8, 8), image_folder="*/images", label_folder="*/masks")


def test_an_instance_folder_that_was_named_must_be_there(tmp_path):
    pair(tmp_path / "flat", "images", "labels", "a", 0)
    pair(tmp_path / "deep", "train/img", "train/seg", "a", 0)
    wanted = r"no folder .*typo: it should contain the instance files; .* use instance_folder for"
    for folder in ("flat", "deep"):
        with pytest.raises(ValueError, match=wanted):
            inspect_dataset(tmp_path / folder, instance_folder="typo", verbose=0)
    load = partial(paired_folders, tmp_path / "flat", 2, (8, 8))
    for name in ("typo", "*/typo"):
        with pytest.raises(ValueError, match=wanted):
            load(instance_folder=name)
    assert "instances" not in load().element_spec
    assert "instances" not in load(instance_folder="typo", instances=False).element_spec
