"""The calls that `inspect_dataset` suggests for folders are correct, and run."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

import keras_spade  # noqa: E402
from keras_spade import datasets  # noqa: E402
from keras_spade.datasets import inspect_dataset  # noqa: E402

SIZE = (40, 48)


def blocks(values, seed=0):
    """A label map with squares of the given values, each of which occurs."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(np.resize(np.array(values), 30)).reshape(5, 6)
    return np.kron(chosen, np.ones((8, 8), int))


def save(path, array, dtype="uint8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array.astype(dtype)).save(path)


def photograph(path, size=SIZE):
    save(path, np.full((*size, 3), 100))


def own_folder(root, labels, dtype="uint8"):
    """A folder with the given label maps."""
    for number, array in enumerate(labels):
        photograph(root / "images" / f"{number:03}.png")
        save(root / "labels" / f"{number:03}.png", array, dtype)
    return root


def loaded(report):
    """The dataset made by the suggested call."""
    return eval(report.call, {"keras_spade": keras_spade})


# The files that each layout needs, and the expected call.
LAYOUTS = {
    "cityscapes": (
        ["leftImg8bit/train/a/a_1_leftImg8bit.png"],
        ["gtFine/train/a/a_1_gtFine_labelIds.png", "gtFine/train/a/a_1_gtFine_instanceIds.png"],
        "cityscapes('{0}', split='train')",
    ),
    "cityscapes, val": (
        ["leftImg8bit/val/a/a_1_leftImg8bit.png"],
        ["gtFine/val/a/a_1_gtFine_labelIds.png", "gtFine/val/a/a_1_gtFine_instanceIds.png"],
        "cityscapes('{0}', split='val')",
    ),
    "ade20k": (
        ["ADEChallengeData2016/images/training/1.jpg"],
        ["ADEChallengeData2016/annotations/training/1.png"],
        "ade20k('{0}', split='train')",
    ),
    "ade20k, val": (
        ["images/validation/1.jpg"],
        ["annotations/validation/1.png"],
        "ade20k('{0}', split='val')",
    ),
    "coco_stuff": (
        ["images/train2017/1.jpg"],
        ["annotations/train2017/1.png"],
        "coco_stuff('{0}', split='train')",
    ),
    "coco_stuff, val": (["val_img/1.jpg"], ["val_label/1.png"], "coco_stuff('{0}', split='val')"),
    "camvid": (["train/1.png"], ["trainannot/1.png"], "camvid('{0}', split='train')"),
    "camvid, test": (["test/1.png"], ["testannot/1.png"], "camvid('{0}', split='test')"),
    "cmp_facades": (
        ["base/1.jpg", "extended/2.jpg"],
        ["base/1.png", "extended/2.png"],
        "cmp_facades('{0}', split='all')",
    ),
    "cmp_facades, extended": (
        ["extended/2.jpg"],
        ["extended/2.png"],
        "cmp_facades('{0}', split='extended')",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_known_layouts_are_recognised(tmp_path, monkeypatch, layout):
    monkeypatch.chdir(tmp_path)
    images, maps, call = LAYOUTS[layout]
    for file in images:
        photograph(tmp_path / file)
    for file in maps:
        save(tmp_path / file, blocks([1, 7]), "uint16" if "instance" in file else "uint8")
    report = inspect_dataset(".", verbose=0)
    assert report.call == f"keras_spade.datasets.{call.format('.')}"
    assert loaded(report).source.samples.listing.samples and set(report.names) == {1, 7}


def test_archives_of_camvid_know_no_splits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photograph(tmp_path / "701_StillsRaw_full" / "1.png")
    colors = np.array([(128, 64, 128), (0, 0, 0)])[blocks([0, 1])]
    save(tmp_path / "LabeledApproved_full" / "1_L.png", colors)
    report = inspect_dataset(".", verbose=0)
    assert report.call == "keras_spade.datasets.camvid('.', split='all')"
    assert report.names == {(128, 64, 128): "road", (0, 0, 0): "void"}
    assert len(list(loaded(report))) == 1


def test_calls_keep_what_is_not_the_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "12":
        photograph(tmp_path / "images" / "training" / f"{name}.jpg")
        save(tmp_path / "annotations" / "training" / f"{name}.png", blocks([0, 3]))
    (tmp_path / "sceneCategories.txt").write_text("1 coast\n2 kitchen\n")
    data = datasets.ade20k_outdoor(".", scenes={"coast"}, counting="unshifted")
    report = inspect_dataset(data, verbose=0)
    call = "ade20k_outdoor('.', split='train', scenes=['coast'], counting='unshifted')"
    assert report.call == f"keras_spade.datasets.{call}" and report.names[0] == "other objects"
    assert len(loaded(report).source.samples) == 1
    info = datasets.ade20k_outdoor(".").source.info
    assert info is datasets.NAMED_DATASETS["ade20k_outdoor"]


def test_bad_files_are_skipped_by_the_call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "12":
        photograph(tmp_path / "train_img" / f"{name}.jpg")
    save(tmp_path / "train_label" / "1.png", blocks([0, 3]))
    report = inspect_dataset(".", verbose=0)
    assert report.call.endswith("coco_stuff('.', split='train', on_bad_file='skip')")
    assert len(list(loaded(report))) == 1


def test_calls_keep_all_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own_folder(tmp_path, [blocks([0, 3])])
    (tmp_path / "labels").rename(tmp_path / "pred")
    data = datasets.landscapes(".", label_folder="pred", allow_smooth_labels=True, batch_size=1)
    call = inspect_dataset(data, verbose=0).call
    wanted = "landscapes('.', label_folder='pred', allow_smooth_labels=True)"
    assert call == f"keras_spade.datasets.{wanted}"


def test_calls_are_written_in_plain_python(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    own_folder(tmp_path / "own", [blocks([0, 3])])
    mapping = datasets.LabelMapping(remap={0: 0, 3: 1}, void_labels=np.array([255]))
    options = {"image_folder": Path("images"), "label_mapping": mapping, "on_bad_file": "error"}
    data = datasets.paired_folders("~/own", np.int64(2), np.array([8, 9]), **options)
    report = inspect_dataset(data, verbose=0)
    parts = ["'~/own'", "num_classes=2", "image_size=(8, 9)"]
    parts += [
        "label_mapping=keras_spade.datasets.LabelMapping(remap={0: 0, 3: 1}, void_labels=[255])"
    ]
    assert report.call.replace("\n", "").replace("    ", " ") == (
        f"keras_spade.datasets.paired_folders( {', '.join(parts)},)"
    )
    (batch,) = loaded(report)
    assert batch["labels"].shape == (1, 8, 9)
    call = inspect_dataset("~/own", verbose=0).call
    assert call.startswith("keras_spade.datasets.paired_folders(\n    '~/own'")


def test_a_call_skips_bad_files_that_were_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own_folder(tmp_path, [blocks([0, 3])] * 2)
    (tmp_path / "images" / "000.png").write_bytes(b"")
    call = inspect_dataset(datasets.landscapes(".", on_bad_file="error"), verbose=0).call
    assert call == "keras_spade.datasets.landscapes('.', on_bad_file='skip')"


def test_no_call_where_nothing_can_be_used(tmp_path):
    own_folder(tmp_path, [blocks([0, 3])])
    photograph(tmp_path / "images" / "000.png", (8, 8))
    report = inspect_dataset(tmp_path, verbose=0)
    assert report.call is None and len(report.bad_files) == 1


def test_of_cut_lists_of_ids_no_call_is_made(tmp_path):
    ids = np.arange(100 * 60).reshape(100, 60)
    own_folder(tmp_path, [ids], "uint16")
    photograph(tmp_path / "images" / "000.png", (100, 60))
    report = inspect_dataset(tmp_path, verbose=0)
    assert report.call is None and report.suspicious[0].startswith("4096 and more ids")


def test_rims_are_no_smoothing_and_are_reported(tmp_path):
    y, x = np.indices((200, 200))
    distance = np.hypot(y % 50 - 25, x % 50 - 25)
    cells = np.where(distance < 12, 255, 0)
    cells[(distance >= 12) & (distance < 13.2)] = 128
    for number in range(2):
        photograph(tmp_path / "images" / f"{number}.png", (200, 200))
        save(tmp_path / "labels" / f"{number}.png", cells)
    report = inspect_dataset(tmp_path, verbose=0)
    assert not report.bad_files and "remap={0: 0, 128: 1, 255: 2}" in report.call
    (finding,) = report.suspicious
    assert finding.startswith("in 2 label maps, few borders are sharp")


def test_parts_within_the_folders_are_reported(tmp_path):
    for part in ("train", "val"):
        photograph(tmp_path / "images" / part / "1.png")
        save(tmp_path / "labels" / part / "1.png", blocks([0, 1]))
    notes = inspect_dataset(tmp_path, verbose=0).notes
    start = "train and val are read as one dataset; image_folder='images/train' and the like"
    assert any(note.startswith(start) for note in notes)


def test_parts_of_own_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own_folder(tmp_path / "val", [blocks([0, 1])])
    own_folder(tmp_path / "train", [blocks([0, 2])] * 2)
    report = inspect_dataset(".", verbose=0)
    assert report.samples == 2 and report.call.startswith(
        "keras_spade.datasets.paired_folders(\n    'train',\n    num_classes=3,"
    )


@pytest.mark.parametrize(
    ("values", "dtype", "mapped"),
    [
        ([0, 255], "uint8", {0: 0, 255: 1}),
        ([0, 128, 255], "uint8", {0: 0, 128: 1, 255: 2}),
        ([0, 1, 255], "uint8", {0: 0, 1: 1, 255: 2}),
        ([0, 1, 2, 65535], "uint16", {0: 0, 1: 1, 2: 2, 65535: 3}),
        ([0, 1, 255, 65535], "uint16", {0: 0, 1: 1, 255: 2, 65535: 2}),
        (range(0, 250, 10), "uint8", {10 * number: number for number in range(25)}),
        # Many ids of one numbering, of which others are in other files, stay unchanged.
        ([0, 2, 9, 17, 40, 61, 80, 99, 130, 181], "uint8", None),
    ],
)
def test_the_suggested_call_loads_these_ids(tmp_path, values, dtype, mapped):
    labels = blocks(list(values))
    report = inspect_dataset(own_folder(tmp_path, [labels], dtype), verbose=0)
    report.call = report.call.replace("(256, 256)", str(SIZE)).replace("(286, 286)", str(SIZE))
    report.call = report.call.replace("flip=True", "flip=False")
    (batch,) = loaded(report)
    mapped = mapped or {value: value for value in values}
    assert np.array_equal(batch["labels"][0], np.vectorize(mapped.get)(labels))
    assert report.notes[-1].startswith("this is based on these label maps only")
    if values == [0, 255]:
        assert report.notes[0].startswith("0, 255 were read as the classes of a mask")


def test_a_stray_id_is_suspicious(tmp_path):
    maps = [blocks([0, 1, 2, 3, 4, 5, 255], seed) for seed in range(12)]
    assert not inspect_dataset(own_folder(tmp_path / "a", maps), verbose=0).suspicious
    maps[3] = blocks([0, 1, 2, 133])
    report = inspect_dataset(own_folder(tmp_path / "b", maps), verbose=0)
    (finding,) = report.suspicious
    assert finding.startswith("the id 133 is in 1 of 12 label maps, and the others are much lower")
    assert "num_classes=6," in report.call
    dataset = loaded(report)
    assert len(list(dataset)) == 12 and "out of range: 133" in next(
        iter(dataset.source.samples.skipped.values())
    )


def test_the_call_of_an_own_dataset_is_what_made_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own_folder(tmp_path, [blocks([0, 3, 9])])
    mapping = datasets.LabelMapping(remap={0: 0, 3: 1, 9: 1})
    data = datasets.paired_folders(".", 2, (8, 8), label_mapping=mapping, edges=False, flip=True)
    report = inspect_dataset(data, verbose=0)
    mapped = "keras_spade.datasets.LabelMapping(remap={0: 0, 3: 1, 9: 1})"
    assert report.call == (
        "keras_spade.datasets.paired_folders(\n    '.',\n    num_classes=2,\n"
        f"    image_size=(8, 8),\n    label_mapping={mapped},\n    flip=True,\n)"
    )


def test_of_too_many_ids_no_call_is_made(tmp_path):
    ids = np.arange(48 * 40).reshape(SIZE) * 7 + 3
    report = inspect_dataset(own_folder(tmp_path, [ids], "uint16"), verbose=0)
    assert report.call is None and "1920 ids: are these label maps?" in report.suspicious


def grey_folder(root, *maps):
    """A folder with label maps of ids saved as RGB."""
    return own_folder(root, [np.dstack([array] * 3) for array in maps])


def test_ids_saved_as_grey_stay_what_they_are_in_every_part(tmp_path):
    """Whichever of the ids 0..7 each part contains, and in whatever proportion."""
    for part, values in {"a": [0, 1, 2], "b": [0, 7], "c": [2], "d": [1, 2, 5, 5, 5]}.items():
        ids = blocks(values)
        report = inspect_dataset(grey_folder(tmp_path / part, ids), verbose=0)
        assert set(report.pixels) == set(values) and report.images == dict.fromkeys(values, 1)
        assert f"num_classes={max(values) + 1}," in report.call and "palette='grey'" in report.call
        report.call = report.call.replace("(256, 256)", str(SIZE)).replace("(286, 286)", str(SIZE))
        (batch,) = loaded(type(report)(1, call=report.call.replace("flip=True", "flip=False")))
        assert np.array_equal(batch["labels"][0], ids)
        assert ("the ids begin at 1" in " ".join(report.notes)) == (part == "d")
        assert ("shades of 2 classes instead" in " ".join(report.notes)) == (part == "b")


@pytest.mark.parametrize(
    ("values", "mapped", "note"),
    [
        ([0, 255], {0: 0, 255: 1}, "0, 255 were read as the classes of a mask, none as void"),
        ([0, 3, 255], {0: 0, 3: 3, 255: 4}, "255 was read as void"),
    ],
)
def test_masks_and_void_in_grey(tmp_path, values, mapped, note):
    labels = blocks(values)
    report = inspect_dataset(grey_folder(tmp_path, labels, labels), verbose=0)
    assert report.notes[0] == note
    reader = loaded(report).source.samples.reader
    _, (ids, *_) = reader.read(loaded(report).source.samples.listing.samples[0])
    assert np.array_equal(ids, np.vectorize(mapped.get)(labels))


def test_ids_in_one_channel_and_in_three_are_one_set(tmp_path):
    grey_folder(tmp_path, blocks([0, 2]))
    photograph(tmp_path / "images" / "one.png")
    save(tmp_path / "labels" / "one.png", blocks([1]))
    report = inspect_dataset(tmp_path, verbose=0)
    assert report.pixels == {0: 0.25, 1: 0.5, 2: 0.25} and not report.suspicious
    samples = loaded(report).source.samples
    assert np.array_equal(samples.reader.read(samples.listing.samples[1])[1][0], blocks([1]))


def test_colors_are_classes_in_an_order_of_their_own(tmp_path):
    """The order does not depend on areas, which differ between parts of the data."""
    colors = np.array([(0, 0, 0), (0, 9, 0), (200, 0, 0)])
    for part, values in {"a": [0, 1, 1, 2], "b": [0, 0, 2, 2, 2, 1]}.items():
        report = inspect_dataset(own_folder(tmp_path / part, [colors[blocks(values)]]), verbose=0)
        assert "palette=[(0, 0, 0), (0, 9, 0), (200, 0, 0)]" in report.call


def test_masks_of_16_bits(tmp_path):
    report = inspect_dataset(own_folder(tmp_path, [blocks([0, 65535])], "uint16"), verbose=0)
    assert "num_classes=2," in report.call and "remap={0: 0, 65535: 1}" in report.call


def test_a_mask_whose_white_is_read_as_void_is_suspicious(tmp_path):
    own_folder(tmp_path, [blocks([0, 255])])
    data = datasets.paired_folders(tmp_path, 1, (8, 8), void_class=True)
    (finding,) = inspect_dataset(data, verbose=0).suspicious
    assert finding.endswith("num_classes=2, label_mapping=LabelMapping(remap={0: 0, 255: 1})")
