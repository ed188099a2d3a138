import os
import re

import pytest

from keras_spade.datasets.folders import pairing
from keras_spade.datasets.folders.pairing import (
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    Files,
    existing_directory,
    own_files,
)


def pair_files(images, labels, instances=None, **options):
    return pairing.pair_files(
        Files("image", images, suffixes=IMAGE_SUFFIXES),
        Files("label", labels, suffixes=LABEL_SUFFIXES),
        instances and Files("instance", instances),
        **options,
    )


def make_files(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_files_of_the_same_stem_are_paired_in_sorted_order(tmp_path):
    images = make_files(tmp_path / "i", "b.JPG", "a.png", "c.d.webp", ".hidden.png", "Thumbs.db")
    labels = make_files(tmp_path / "l", "c.d.png", "a.png", "b.png", "notes.txt")
    instances = make_files(tmp_path / "s", "a.tif", "b.png", "c.d.png")
    (labels / "e.png").mkdir()
    pairs = [
        (str(images / "a.png"), str(labels / "a.png")),
        (str(images / "b.JPG"), str(labels / "b.png")),
        (str(images / "c.d.webp"), str(labels / "c.d.png")),
    ]
    assert pair_files(images, labels).samples == pairs
    triples = pair_files(images, labels, instances).samples
    assert triples[0] == (*pairs[0], str(instances / "a.tif"))
    assert [triple[:2] for triple in triples] == pairs


def test_missing_partners_are_named_and_counted(tmp_path):
    images = make_files(tmp_path / "i", *(f"{k}.jpg" for k in range(9)))
    labels = make_files(tmp_path / "l", "0.png", "1.png")
    wanted = (
        f"7 of 9 files in {images} have no label with the same stem in {labels}: "
        "2.jpg, 3.jpg, 4.jpg, 5.jpg, 6.jpg and 2 more"
    )
    with pytest.raises(
        ValueError, match=f"^{re.escape(wanted)} .7 files in all; inspect_dataset lists them.$"
    ):
        pair_files(images, labels)
    assert len(pair_files(images, labels, on_bad_file="skip").samples) == 2


def test_a_label_without_an_image_is_an_error(tmp_path):
    images = make_files(tmp_path / "i", "0.jpg")
    labels = make_files(tmp_path / "l", "0.png", "1.png")
    with pytest.raises(ValueError, match=r"1 of 2 files in .*l have no image with .*i: 1\.png$"):
        pair_files(images, labels)


def test_a_missing_instance_map_is_an_error(tmp_path):
    images = make_files(tmp_path / "i", "0.jpg", "1.jpg")
    labels = make_files(tmp_path / "l", "0.png", "1.png")
    instances = make_files(tmp_path / "s", "1.png")
    with pytest.raises(
        ValueError, match=r"1 of 2 files .* no instance .*s: 0\.jpg .2 files in all"
    ):
        pair_files(images, labels, instances)


def test_all_files_of_a_doubtful_sample_are_reported(tmp_path):
    images = make_files(tmp_path / "i", "0.jpg", "0.png", "1.png")
    labels = make_files(tmp_path / "l", "0.png", "1.png")
    listing = pair_files(images, labels, on_bad_file="skip")
    assert len(listing.samples) == 1
    assert set(listing.problems) == {
        str(images / "0.jpg"),
        str(images / "0.png"),
        str(labels / "0.png"),
    }


def test_duplicate_stems_are_an_error(tmp_path):
    images = make_files(tmp_path / "i", "0.jpg", "0.png")
    labels = make_files(tmp_path / "l", "0.png")
    with pytest.raises(ValueError, match=r"two image files with the same stem.*0\.jpg and 0\.png"):
        pair_files(images, labels)


def test_missing_and_empty_folders_are_named(tmp_path):
    images = make_files(tmp_path / "i", "0.jpg")
    with pytest.raises(ValueError, match=r"no folder .*/l: it should contain the label files"):
        pair_files(images, tmp_path / "l")
    labels = make_files(tmp_path / "l")
    with pytest.raises(
        ValueError, match=r"no label files \(\.bmp, .*\) in .*/l, which contains no files"
    ):
        pair_files(images, labels)
    make_files(labels, "0.jpg")
    with pytest.raises(ValueError, match=r"in .*/l, which contains 0\.jpg"):
        pair_files(images, labels)


def test_a_file_of_the_right_name_and_the_wrong_kind_is_reported(tmp_path):
    images = make_files(tmp_path / "i", "0.jpg", "1.gif")
    labels = make_files(tmp_path / "l", "0.png", "1.png")
    with pytest.raises(
        ValueError, match=r"no image with .*: 1\.png; .*/i/1\.gif is not one of \.bmp"
    ):
        pair_files(images, labels)
    make_files(images, "1.png")
    labels.joinpath("1.png").rename(labels / "1.jpg")
    with pytest.raises(ValueError, match=r"/l/1\.jpg is a JPEG, whose compression changes ids"):
        pair_files(images, labels)
    (reason,) = pair_files(images, labels, on_bad_file="skip").problems.values()
    assert reason.endswith("whose compression changes ids")


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    images = make_files(tmp_path / "i", "0.jpg")
    labels = make_files(tmp_path / "l", "0.png")
    make_files(labels / "a")
    scandir = os.scandir

    def denied(folder):
        if str(folder) == str(labels / "a"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(ValueError, match="l/a: the folder cannot be read: Permission denied"):
        pair_files(images, labels)
    listing = pair_files(images, labels, on_bad_file="skip")
    assert len(listing.samples) == 1 and list(listing.problems) == [str(labels / "a")]


def test_names_of_labels_that_end_otherwise_are_reported(tmp_path):
    images = make_files(tmp_path / "i", "1.jpg", "2.jpg")
    labels = make_files(tmp_path / "l", "1_mask.png", "2_mask.png")
    with pytest.raises(ValueError, match=r"1\.jpg, 2\.jpg; names of labels end with '_mask': ren"):
        pair_files(images, labels)


def test_one_letter_of_two_characters_is_the_same_name(tmp_path):
    images = make_files(tmp_path / "i", "stra\u00dfe \u00e4.jpg")
    labels = make_files(tmp_path / "l", "stra\u00dfe a\u0308.png")
    assert len(pair_files(images, labels).samples) == 1


def test_the_folder_of_images_itself_is_not_the_directory(tmp_path):
    make_files(tmp_path, "1.jpg")
    with pytest.raises(ValueError, match="contains no folders, but files: .*pass the folder above"):
        pairing.pair_files(*own_files(tmp_path, "images", "labels", "instances")[:2])
    with pytest.raises(ValueError, match="directory must be the path of a folder, got None"):
        existing_directory(None)
