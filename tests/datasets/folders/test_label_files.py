import re

import pytest

from keras_spade.datasets import label_files


def make(directory, *files):
    for file in files:
        (directory / file).parent.mkdir(parents=True, exist_ok=True)
        (directory / file).touch()
    return directory


def test_names_begin_with_what_wildcards_stand_for(tmp_path):
    make(tmp_path, "masks_1/x.png", "masks_2/x.png", "masks_2/__MACOSX/y.png", "masks_2/.z.png")
    make(tmp_path, "masks_10/a/x.npy", "__MACOSX/masks_1/x.png")
    files = label_files(tmp_path, "masks_*")
    assert {name: path[len(str(tmp_path)) + 1 :] for name, path in files.items()} == {
        "1/x": "masks_1/x.png",
        "10/a/x": "masks_10/a/x.npy",
        "2/x": "masks_2/x.png",
    }
    assert list(files) == sorted(files)
    assert list(label_files(tmp_path, "masks_?")) == ["1/x", "2/x"]
    assert list(label_files(tmp_path / "masks_10")) == ["a/x"]


def test_what_is_wrong_is_reported(tmp_path):
    make(tmp_path, "maps/x.png", "maps/x.npy", "images/x.jpg")
    for folder, message in (
        ("maps", "two label files with the same stem in .*maps: x.npy and x.png"),
        ("images", "no label files .* JPEG is not suitable for ids"),
        ("labels", f"no folder {re.escape(str(tmp_path))}/labels: .*use label_folder for another"),
    ):
        with pytest.raises(ValueError, match=message):
            label_files(tmp_path, folder)
    with pytest.raises(ValueError, match="use instance_folder for another"):
        label_files(tmp_path, "instances", kind="instance")
