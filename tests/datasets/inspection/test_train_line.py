"""The train.py command matches the call."""

import ast
import shlex

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorflow")

from keras_spade import datasets  # noqa: E402
from keras_spade.datasets import inspect_dataset  # noqa: E402


def make(root, labels, folders=("images", "labels"), size=(40, 48)):
    for number, array in enumerate(labels):
        for folder, end, pixels in zip(
            folders, (".jpg", ".png"), (np.full((*size, 3), 90), array), strict=True
        ):
            path = root / folder / f"{number}{end}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype("uint8")).save(path)
    return root


def flags_of(report):
    python, script, *flags = shlex.split(report.command)
    assert (python, script) == ("python", "examples/train.py")
    return dict(
        flag.removeprefix("--").split("=", 1) if "=" in flag else (flag, "") for flag in flags
    )


def test_own_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ids = np.repeat(np.arange(4), 10)[:, None] * np.ones((1, 48), int)
    make(tmp_path / "my street", [np.where(ids == 3, 255, ids)], ("photos", "Masks"))
    report = inspect_dataset("my street", verbose=0)
    assert flags_of(report) == {
        "data": "my street",
        "image_folder": "photos",
        "label_folder": "Masks",
        "num_classes": "3",
        "image_size": "256,256",
        "--void_class": "",
        "load_size": "286,286",
        "epochs": "100",
        "run_dir": "runs/my street",
    }
    assert f"or train on it with\n{report.command}" in str(report)


def test_mappings_bad_files_and_void_go_where_the_script_takes_them(tmp_path):
    colors = np.array([(0, 0, 0), (0, 9, 0)])[np.repeat([[0, 1]], 30, axis=0).repeat(45, axis=1)]
    make(tmp_path / "a", [colors], size=(30, 90))
    (tmp_path / "a" / "images" / "lone.png").write_bytes(b"")
    flags = flags_of(inspect_dataset(tmp_path / "a", verbose=0))
    assert (flags["image_size"], flags["load_size"]) == ("256,768", "286,858")
    assert ast.literal_eval(flags["data_options"]) == {
        "label_mapping": {"palette": [(0, 0, 0), (0, 9, 0)], "void_labels": None},
        "on_bad_file": "skip",
    }
    make(tmp_path / "b", [np.zeros((40, 48))])
    assert flags_of(inspect_dataset(tmp_path / "b", verbose=0))["void_label"] == "-1"
    np.save(tmp_path / "b" / "labels" / "0.npy", np.repeat([[-1, 0, 1]], 40, axis=0).repeat(16, 1))
    (tmp_path / "b" / "labels" / "0.png").unlink()
    flags = flags_of(inspect_dataset(tmp_path / "b", verbose=0))
    assert "void_label" not in flags
    assert flags["data_options"] == '{"label_mapping": {"void_labels": -1}}'


def test_many_ratios_keep_theirs_in_call_and_line(tmp_path):
    for number, size in enumerate([(100, 40), (40, 90)]):
        make(tmp_path / f"part {number}", [np.zeros(size)], size=size)
    report = inspect_dataset(tmp_path, verbose=0)
    flags = flags_of(report)
    assert (flags["resize"], flags["load_size"]) == ("scale_short_side", "286")
    assert "resize='scale_short_side',\n    load_size=286," in report.call
    assert (flags["image_folder"], flags["label_folder"]) == ("*/images", "*/labels")
    assert any(note.startswith("the images are 0.4 to 2.2 times as wide") for note in report.notes)


def test_named_sets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, size in enumerate([(100, 40), (40, 90)]):
        make(tmp_path / str(number), [np.ones(size)], ("base", "base"), size)
    (tmp_path / "base").mkdir()
    for path in [*tmp_path.glob("*/base/*.*")]:
        path.rename(tmp_path / "base" / f"{path.parts[-3]}{path.suffix}")
    report = inspect_dataset(".", verbose=0)
    assert report.call == (
        "keras_spade.datasets.cmp_facades('.', split='base', resize='scale_short_side', "
        "load_size=286)"
    )
    flags = flags_of(report)
    assert (flags["dataset"], flags["split"], flags["resize"]) == (
        "cmp_facades",
        "base",
        "scale_short_side",
    )
    assert flags["image_size"] == "256,256" and "--noflip" in flags
    # A dataset made by the caller: the report warns, and the call stays the same.
    report = inspect_dataset(datasets.cmp_facades(".", "base"), verbose=0)
    assert report.call == "keras_spade.datasets.cmp_facades('.', split='base')"
    assert "they are stretched by up to 150 %" in report.notes[0]
