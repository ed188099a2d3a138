import io
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

from keras_spade import datasets  # noqa: E402
from keras_spade.datasets import inspect_dataset, paired_folders  # noqa: E402
from keras_spade.datasets.folders.smoothing import Borders  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT.parent / "shared" / "data"
SIZE = (40, 48)


def blocks(values, seed=0):
    """A label map with squares of the given values."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.choice(values, (5, 6)), np.ones((8, 8))).astype("uint8")


def curves(values, seed):
    """A label map with curved areas of the given values, in random order."""
    values = np.random.default_rng(seed).permutation(np.array(values))
    y, x = np.indices((320, 384)) / 2
    waves = np.sin(x / 17) + np.cos(y / 13 + 1) + np.sin((x + 2 * y) / 31)
    return values[((waves + 3) / 6 * len(values)).astype(int)].astype("uint8")


def make(folder, labels, suffix=".png"):
    """Writes photographs, and the given label maps."""
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, array in enumerate(labels):
        photograph = np.full((*array.shape[:2], 3), 20 * number, np.uint8)
        Image.fromarray(photograph).save(folder / "images" / f"{number}.png")
        Image.fromarray(array).save(folder / "labels" / f"{number}{suffix}")
    return folder


def load(report):
    """The dataset of the suggested call."""
    return eval(report.call, {"keras_spade": __import__("keras_spade")})


def test_counts_shares_and_the_call(tmp_path, capsys):
    labels = [blocks([0, 1, 4, 255]), blocks([0, 2, 3], 1), blocks([1], 2)]
    make(tmp_path, labels)
    report = inspect_dataset(tmp_path)
    pixels = np.concatenate([array.ravel() for array in labels])
    values, counts = np.unique(pixels, return_counts=True)
    assert report.pixels == {
        int(value): count / pixels.size for value, count in zip(values, counts, strict=True)
    }
    assert report.images == {v: sum(v in a for a in labels) for v in (0, 1, 2, 3, 4, 255)}
    assert report.samples == 3 and report.image_sizes == {SIZE: 3}
    assert not report.bad_files and not report.unmatched and not report.suspicious
    output = capsys.readouterr().out
    assert "3/3" in output and "40 x 48: 3" in output and report.call in output
    for part in ("num_classes=5,", "void_class=True,", "image_size=(256, 256),"):
        assert part in report.call
    assert next(iter(load(report)))["labels"].shape == (1, 256, 256)


@pytest.mark.parametrize(
    ("values", "mapped"),
    [
        ([0, 1, 2], {0: 0, 1: 1, 2: 2}),
        ([1, 2, 3], {1: 0, 2: 1, 3: 2}),
        ([1, 2, 255], {1: 0, 2: 1, 255: 2}),
        ([0, 100, 200], {0: 0, 100: 1, 200: 2}),
        ([0, 254, 255], {0: 0, 254: 1, 255: 2}),
        ([0, 3, 50, 255], {0: 0, 3: 1, 50: 2, 255: 3}),
    ],
)
def test_the_suggested_call_loads_these_ids(tmp_path, values, mapped):
    make(tmp_path, [blocks(values)])
    report = inspect_dataset(tmp_path, verbose=0)
    call = report.call.replace("(256, 256)", str(SIZE)).replace("(286, 286)", str(SIZE))
    report.call = call.replace("flip=True", "flip=False")
    (batch,) = load(report)
    wanted = np.vectorize(mapped.get)(np.asarray(Image.open(tmp_path / "labels" / "0.png")))
    assert np.array_equal(batch["labels"][0], wanted)


def test_colors_are_found_and_suggested_as_a_palette(tmp_path):
    palette = np.array([(0, 0, 0), (128, 64, 128), (250, 170, 30)], "uint8")
    ids = blocks([0, 1, 2])
    make(tmp_path, [palette[ids]])
    report = inspect_dataset(tmp_path, verbose=0)
    counts = np.bincount(ids.ravel())
    shares = {tuple(color.tolist()): n / ids.size for color, n in zip(palette, counts, strict=True)}
    assert report.pixels == shares
    assert "LabelMapping(palette=[(" in report.call.replace("\n", "")
    colors = sorted(shares, key=shares.get, reverse=True)
    labels = next(iter(load(report)))["labels"].numpy()
    assert len(np.unique(labels)) == len(colors) == 3


def test_negative_ids_in_arrays_are_void(tmp_path):
    make(tmp_path, [blocks([0])])
    (tmp_path / "labels" / "0.png").unlink()
    np.save(tmp_path / "labels" / "0.npy", blocks([0, 1, 2]).astype("int32") - 1)
    report = inspect_dataset(tmp_path, verbose=0)
    assert set(report.pixels) == {-1, 0, 1}
    assert "num_classes=2,\n" in report.call and "void_label=-1" in report.call


@pytest.mark.parametrize("how", ["bilinear", "jpeg"])
@pytest.mark.parametrize("kind", ["ids", "colors"])
def test_smoothed_labels_are_refused_by_it_and_by_the_pipeline(tmp_path, how, kind):
    labels = [curves(range(0, 200, 25), seed) for seed in range(2)]
    if kind == "colors":
        palette = np.random.default_rng(0).integers(0, 256, (256, 3), dtype=np.uint8)
        labels = [palette[ids] for ids in labels]
    make(tmp_path / "sharp", labels)
    image = Image.fromarray(labels[1])
    if how == "jpeg":
        image.save(tmp_path / "once.jpg", quality=90)
        image = Image.open(tmp_path / "once.jpg")
    else:
        image = image.resize((360, 300), Image.BILINEAR)
    make(tmp_path / "smooth", [labels[0], np.asarray(image)])
    report = inspect_dataset(tmp_path / "sharp", verbose=0)
    assert not report.bad_files and not report.suspicious
    report = inspect_dataset(tmp_path / "smooth", verbose=0)
    ((file, reason),) = report.bad_files.items()
    assert file.endswith("images/1.png") and "labels/1.png: " in reason
    many = kind == "colors" and how == "jpeg"
    assert ("too many for a label map" if many else "few borders are sharp") in reason
    assert len(report.pixels) <= 8
    assert "on_bad_file='skip'" in report.call
    dataset = load(report)
    assert len(list(dataset)) == 2 and set(dataset.source.samples.skipped) == set(report.bad_files)
    if kind == "ids":
        dataset = paired_folders(tmp_path / "smooth", 256, SIZE, void_label=None, shuffle=False)
        with pytest.raises(tf.errors.InvalidArgumentError, match="allow_smooth_labels=True"):
            list(dataset)
        options = {"void_label": None, "shuffle": False, "allow_smooth_labels": True}
        dataset = paired_folders(tmp_path / "smooth", 256, (300, 360), **options)
        if how == "bilinear":
            assert np.array_equal(list(dataset)[1]["labels"][0], image)
        assert not inspect_dataset(dataset, verbose=0).bad_files


def test_noise_is_no_smoothed_map(tmp_path):
    noise = np.random.default_rng(0).integers(0, 5, (64, 64), dtype=np.uint8)
    make(tmp_path, [noise])
    assert not inspect_dataset(tmp_path, verbose=0).bad_files


def test_too_many_ids_and_colors_are_suspicious(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    make(tmp_path / "grey", [noise[..., 0]])
    make(tmp_path / "colors", [noise])
    make(tmp_path / "both", [noise[..., 0] // 64, noise // 128 * 128])
    assert (
        "ids: are these label maps?" in inspect_dataset(tmp_path / "grey", verbose=0).suspicious[0]
    )
    report = inspect_dataset(tmp_path / "colors", verbose=0)
    (reason,) = report.bad_files.values()
    assert "1920 colours or more are too many for a label map" in reason and report.call is None
    report = inspect_dataset(tmp_path / "both", verbose=0)
    assert report.suspicious[0] == "some label files contain colours, others ids"


def spoiled(folder):
    """A folder with problems in most samples, and the expected message for each."""
    make(folder, [blocks([0, 1, 2, 255], seed) for seed in range(8)])
    (folder / "images" / "0.png").write_bytes(b"")
    (folder / "labels" / "1.png").unlink()
    Image.fromarray(blocks([0, 9])).save(folder / "labels" / "2.png")
    Image.fromarray(blocks([0])[:8]).save(folder / "labels" / "3.png")
    Image.fromarray(blocks([0])).save(folder / "labels" / "4.png", format="JPEG")
    content = (folder / "labels" / "5.png").read_bytes()
    (folder / "labels" / "5.png").write_bytes(content[: len(content) // 2])
    return {
        "0": "the file is empty",
        "2": "label ids out of range: 9",
        "3": "sizes differ",
        "4": "whose compression changes ids",
        "5": "cannot be read",
    }


def test_all_that_an_epoch_would_raise_is_reported_before(tmp_path, capsys):
    wanted = spoiled(tmp_path)
    dataset = paired_folders(tmp_path, 3, (8, 8), void_class=True, on_bad_file="skip")
    report = inspect_dataset(dataset, contact_sheet=tmp_path / "sheet.png", contact_rows=5)
    files = {str(tmp_path / "images" / f"{number}.png") for number in wanted}
    assert set(report.bad_files) == files
    for number, reason in wanted.items():
        assert reason in report.bad_files[str(tmp_path / "images" / f"{number}.png")]
    assert list(report.unmatched) == [str(tmp_path / "images" / "1.png")]
    output = capsys.readouterr().out
    assert "samples that cannot be used: 5" in output and "files without partner: 1" in output
    # One row for each of the two usable samples; below, three classes and void, three per line, 130
    # pixels each.
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * (192 + 4), 2 * (160 + 14) + 2 * 14)
    list(dataset)
    assert set(dataset.source.samples.skipped) == files | set(report.unmatched)


def test_what_only_the_resize_makes_too_small_is_reported(tmp_path):
    make(tmp_path, [np.zeros((20, 80), "uint8"), np.zeros((40, 80), "uint8")])
    dataset = paired_folders(tmp_path, 1, (8, 8), resize="scale_width", load_size=20)
    (reason,) = inspect_dataset(dataset, verbose=0).bad_files.values()
    assert "less than image_size" in reason and "images/0.png" in reason


def test_what_is_no_dataset_is_reported(tmp_path):
    with pytest.raises(ValueError, match="directory must be an existing folder"):
        inspect_dataset(tmp_path / "no")
    with pytest.raises(ValueError, match="data must be a folder or a dataset of files"):
        inspect_dataset(tf.data.Dataset.range(3))
    with pytest.raises(ValueError, match="folder .*labels/no: it should contain the label files"):
        inspect_dataset(make(tmp_path, [blocks([0])]), label_folder="labels/no")


@pytest.mark.slow
def test_the_script(tmp_path):
    spoiled(tmp_path / "street")
    command = [sys.executable, "examples/inspect_dataset.py", f"--data={tmp_path / 'street'}"]
    command.append(f"--contact_sheet={tmp_path / 'sheet.png'}")
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert result.returncode == 1, result.stderr
    assert "samples that cannot be used: 4" in result.stdout
    assert "keras_spade.datasets.paired_folders(" in result.stdout
    assert (tmp_path / "sheet.png").exists()
    command = [*command[:-1], "--num_classes=2", "--void_class"]
    command.append("--data_options={'label_mapping': {'remap': {0: 0, 1: 1, 2: 1}}}")
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert result.returncode == 1 and "neither in remap nor void: 9" in result.stdout
    assert "samples that cannot be used: 5" in result.stdout


@pytest.mark.skipif(
    not (DATA / "coco_stuff_sample").is_dir(), reason="shared/data/coco_stuff_sample is not here"
)
def test_real_label_maps_are_distinguished_from_their_smoothed_selves():
    files = sorted((DATA / "camvid/train/labels").iterdir())[::5]
    files += (DATA / "coco_stuff_sample").glob("*_label/*")
    assert len(files) == 74 + 17
    smooth = Counter()
    for file in files:
        labels = Image.open(file)
        borders = Borders.of(np.asarray(labels))
        assert not borders.are_smooth and not borders.are_rough, file
        assert not Borders.of(np.asarray(labels.resize((48, 48), Image.NEAREST))).are_smooth, file
        for scale in (2 / 3, 2):
            size = (round(labels.width * scale), round(labels.height * scale))
            resized = labels.resize(size, Image.BILINEAR)
            smooth[scale] += Borders.of(np.asarray(resized)).are_smooth
        stream = io.BytesIO()
        labels.save(stream, "JPEG", quality=90)
        smooth["JPEG"] += Borders.of(np.asarray(Image.open(stream))).are_smooth
    assert smooth == {2 / 3: 91, 2: 91, "JPEG": 90}


@pytest.mark.skipif(
    not (DATA / "coco_stuff_sample").is_dir(), reason="shared/data/coco_stuff_sample is not here"
)
def test_real_label_maps_are_not_suspicious():
    for split in ("train", "val"):
        report = inspect_dataset(datasets.coco_stuff(DATA / "coco_stuff_sample", split), verbose=0)
        assert not report.bad_files and not report.suspicious
        assert report.names[255] == "void" and report.names[0] == "person"


def test_photographs_that_exif_turns_have_the_size_they_are_seen_in(tmp_path):
    make(tmp_path, [blocks([0, 1])])
    image = Image.open(tmp_path / "images" / "0.png").transpose(Image.Transpose.ROTATE_90)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "images" / "0.png", exif=exif)
    report = inspect_dataset(tmp_path, verbose=0)
    assert report.image_sizes == {SIZE: 1} and "resize" not in report.call
    dataset = paired_folders(tmp_path, 2, (8, 8))
    assert inspect_dataset(dataset, verbose=0).image_sizes == {SIZE: 1}


def test_palettes_that_differ_from_file_to_file_are_suspicious(tmp_path):
    make(tmp_path, [blocks([0, 1]), blocks([0, 1], 1), blocks([0], 2)])
    for number, palette in enumerate(([0, 0, 0, 128, 0, 0], [0, 0, 0, 0, 128, 0], [0, 0, 0, 1])):
        label = tmp_path / "labels" / f"{number}.png"
        image = Image.open(label).copy()
        image.putpalette(palette + [7] * (6 - len(palette)))
        image.save(label)
    (finding,) = inspect_dataset(tmp_path, verbose=0).suspicious
    assert "1 is (0, 128, 0) for" in finding and "images/1.png, (128, 0, 0) for" in finding
    colors = {(0, 0, 0): 0, (128, 0, 0): 1, (0, 128, 0): 2}
    mapping = datasets.LabelMapping(palette=colors)
    dataset = paired_folders(tmp_path, 3, (8, 8), label_mapping=mapping)
    assert inspect_dataset(dataset, verbose=0).suspicious == []
