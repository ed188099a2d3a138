import pytest

from keras_spade.datasets.folders.pairing import own_files, pair_files
from keras_spade.datasets.folders.parts import folders_in, named_folders, some_folders_in


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("*/images", [("a", "a/images"), ("b", "b/images")]),
        ("b/images", [("", "b/images")]),
        ("?_im*", [("x/ages", "x_images"), ("y/ages", "y_images")]),
        ("*/*", [("a/images", "a/images"), ("a/x", "a/x"), ("b/images", "b/images")]),
        ("lit[e]ral*", [("", "lit[e]ral*")]),
        ("no/*", []),
        ("*.hidden", []),
    ],
)
def test_patterns_name_folders_and_their_parts(tmp_path, pattern, wanted):
    for folder in ("a/images", "a/x", "b/images", "x_images", "y_images", "lit[e]ral*", ".hidden"):
        (tmp_path / folder).mkdir(parents=True)
    assert named_folders(tmp_path, pattern) == [(part, tmp_path / path) for part, path in wanted]


def test_folders_are_listed_without_hidden_ones(tmp_path):
    for name in "fcadbe":
        (tmp_path / name).mkdir()
    (tmp_path / ".git").mkdir()
    assert folders_in(tmp_path) == list("abcdef") and folders_in(tmp_path / "no") == []
    assert some_folders_in(tmp_path, most=2) == f"{tmp_path} contains a, b and 4 more"
    assert some_folders_in(tmp_path / "a") == f"{tmp_path / 'a'} contains no folders"


def test_files_of_one_name_in_two_parts_are_two_samples(tmp_path):
    for part in "ab":
        for folder, name in (("images", "1.jpg"), ("labels", "1.png"), ("instances", "1.png")):
            (tmp_path / part / folder).mkdir(parents=True)
            (tmp_path / part / folder / name).touch()
    files = own_files(tmp_path, "*/images", "*/labels", "*/instances")
    samples = pair_files(*files).samples
    assert samples == [
        tuple(
            f"{tmp_path}/{part}/{end}"
            for end in ("images/1.jpg", "labels/1.png", "instances/1.png")
        )
        for part in "ab"
    ]
    (tmp_path / "b" / "labels" / "1.png").unlink()
    with pytest.raises(ValueError, match=r"1 of 2 files in .*/\*/images have .*: b/images/1\.jpg"):
        pair_files(*files)
