"""Files in the format of pix2pix: recognised, split, or refused."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorflow")

import keras_spade  # noqa: E402
from keras_spade.datasets import inspect_dataset, split_pairs  # noqa: E402
from keras_spade.datasets.folders import side_by_side  # noqa: E402

COLORS = np.array([(0, 0, 170), (255, 85, 0), (0, 255, 60)], "uint8")


def pair(number, size=(64, 64), side="right"):
    """A noisy photograph, ids, and both in one picture."""
    rng = np.random.default_rng(number)
    photograph = rng.integers(90, 120, (*size, 3), dtype=np.uint8)
    ids = np.kron(rng.integers(0, 3, (size[0] // 16, size[1] // 16)), np.ones((16, 16), int))
    halves = [photograph, COLORS[ids]]
    return photograph, ids, np.concatenate(halves if side == "right" else halves[::-1], axis=1)


def write(folder, count=3, end=".png", **options):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(pair(number, **options)[2]).save(folder / f"{number}{end}")
    return folder


def split_of(report):
    """Runs the call in the notes."""
    call = report.notes[0].split(" splits them")[0]
    return eval(call, {"keras_spade": SimpleNamespace(datasets=keras_spade.datasets)})


@pytest.mark.parametrize(("size", "side"), [((64, 64), "right"), ((48, 80), "left")])
def test_pairs_are_recognised_and_split_to_the_bit(tmp_path, size, side):
    report = inspect_dataset(
        write(tmp_path / "maps" / "train", size=size, side=side).parent, verbose=0
    )
    assert report.call is None and report.samples == 3
    assert report.image_sizes == {(size[0], 2 * size[1]): 3}
    assert "a photograph and its label map side by side" in report.suspicious[0]
    assert f"label_side='{side}'" in report.notes[0] and len(report.suspicious) == 1
    into = split_of(report)
    assert into == tmp_path / "maps_split" and not list(tmp_path.glob(".partial*"))
    for number in range(3):
        photograph, ids, _ = pair(number, size, side)
        with Image.open(into / f"images/train/{number}.png") as image:
            assert np.array_equal(image, photograph)
        with Image.open(into / f"labels/train/{number}.png") as labels:
            assert np.array_equal(labels, COLORS[ids])
    report = inspect_dataset(into, verbose=0)
    assert set(report.pixels) == set(map(tuple, COLORS.tolist())) and "num_classes=3" in report.call


def test_jpeg_is_refused_unless_the_colors_are_known(tmp_path, capsys):
    report = inspect_dataset(write(tmp_path / "maps", end=".jpg"))
    assert "JPEG has changed the colours of the label maps" in report.suspicious[1]
    assert "side by side" in capsys.readouterr().out and "palette=[...])" in report.notes[0]
    with pytest.raises(ValueError, match=r"0\.jpg: lossy compression, such as JPEG, has changed"):
        split_pairs(tmp_path / "maps", tmp_path / "split")
    assert [path.name for path in tmp_path.iterdir()] == ["maps"]
    split_pairs(tmp_path / "maps", tmp_path / "split", palette=COLORS.tolist())
    for number in range(3):
        labels = np.asarray(Image.open(tmp_path / f"split/labels/{number}.png"))
        wrong = labels != pair(number)[1]
        # Blocks of 16 x 16: no errors inside, and at most some at the seam with the photograph.
        assert wrong[:, 8:].mean() < 0.01 and not wrong[4:12, 20:28].any()


def test_tiff_is_refused_where_its_compression_is_jpeg(tmp_path):
    for options, is_spoilt in (
        ({"compression": "tiff_lzw"}, False),
        ({"compression": "jpeg", "quality": 40}, True),
    ):
        folder = tmp_path / options["compression"]
        folder.mkdir()
        for number in range(3):
            picture = Image.fromarray(pair(number)[2])
            picture.save(folder / f"{number}.tif", **options)
        with Image.open(folder / "0.tif") as image:
            spoilt = np.asarray(image)[:, 64:] != COLORS[pair(0)[1]]
            assert spoilt.any() == is_spoilt
        report = inspect_dataset(folder, verbose=0)
        assert ("palette=[...])" in report.notes[0]) == is_spoilt
    with pytest.raises(ValueError, match=r"0\.tif: lossy compression, such as JPEG, has changed"):
        split_pairs(folder, tmp_path / "split")


def test_pairs_of_16_bits_are_reported_though_none_can_be_read(tmp_path):
    for number in range(2):
        grey = pair(number)[2].mean(axis=-1).astype("uint16")
        Image.fromarray(grey).save(tmp_path / f"{number}.png")
    report = inspect_dataset(tmp_path, verbose=0)
    assert len(report.bad_files) == report.samples == 2 and report.call is None
    assert "side by side" in report.suspicious[0] and not report.notes
    assert "must have 8 bits per channel" in report.bad_files[str(tmp_path / "0.png")]


@pytest.mark.parametrize("side", ["left", "right"])
def test_noise_does_not_hide_the_seam(tmp_path, side):
    """White noise: the seam's difference is that of its neighbours."""
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        _, ids, _ = pair(number)
        halves = [noise, COLORS[ids]] if side == "right" else [COLORS[ids], noise]
        Image.fromarray(np.concatenate(halves, axis=1)).save(tmp_path / f"{number}.png")
    report = inspect_dataset(tmp_path, verbose=0)
    assert "side by side" in report.suspicious[0] and f"label_side='{side}'" in report.notes[0]


def test_of_many_files_sixteen_are_looked_at(tmp_path, monkeypatch):
    looked = []
    monkeypatch.setattr(
        side_by_side, "_halves", lambda file: looked.append(file) or np.zeros((2, 4, 4, 3))
    )
    assert side_by_side.label_side(list(range(31))) == "right" and looked == list(range(16))


def test_photographs_alone_are_no_pairs(tmp_path):
    rng = np.random.default_rng(0)
    for name, width in (("a", 96), ("b", 128)):
        ramp = np.add.outer(np.arange(64), np.arange(width))[..., None]
        ramp = ramp + rng.integers(0, 30, (64, width, 3))
        Image.fromarray(ramp.astype("uint8")).save(tmp_path / f"{name}.png")
    with pytest.raises(ValueError, match="no folder .*images: it should contain the image files"):
        inspect_dataset(tmp_path, verbose=0)


def test_mistakes_are_reported_and_leave_nothing(tmp_path):
    folder = write(tmp_path / "maps")
    for arguments, message in (
        ({"label_side": "top"}, 'label_side must be "left" or "right", got \'top\''),
        ({"palette": "grey"}, "palette must be a sequence of colours, got 'grey'"),
    ):
        with pytest.raises(ValueError, match=message):
            split_pairs(folder, tmp_path / "split", **arguments)
    with pytest.raises(ValueError, match="into must be a folder that does not exist yet, got"):
        split_pairs(folder, folder)
    Image.new("RGB", (63, 32)).save(folder / "2.png")
    with pytest.raises(ValueError, match=r"2\.png: a width of 63 pixels cannot be split"):
        split_pairs(folder, tmp_path / "split")
    Image.new("RGB", (64, 32)).save(folder / "0.bmp")
    with pytest.raises(ValueError, match=r"two files with the same stem: .*0\.bmp and .*0\.png"):
        split_pairs(folder, tmp_path / "split")
    assert [path.name for path in tmp_path.iterdir()] == ["maps"]
