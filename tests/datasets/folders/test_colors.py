"""8-bit colours stored with 16 bits, and ids saved as grey, are read correctly."""

import struct

import numpy as np
import pytest
from PIL import Image
from support.hostile_files import png

from keras_spade.datasets import LabelMapping, read_label_map
from keras_spade.datasets.folders.colors import grey_ids
from keras_spade.datasets.folders.reading import read_colors, read_ids, read_labels

PALETTE = [(0, 0, 0), (128, 0, 0), (128, 64, 0), (1, 255, 254)]
IDS = np.repeat(np.arange(4), 3).reshape(4, 3)


def wide_png(path, pixels):
    """A PNG with 16 bits per channel, with or without alpha."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    color = {3: 2, 4: 6}[channels]
    path.write_bytes(png(width, height, rows, bits=16, color=color))
    return path


def wide_tiff(path, pixels, order):
    """An uncompressed TIFF with 16 bits per channel, which Pillow and NumPy cannot write."""
    height, width, channels = pixels.shape
    content = pixels.astype(order + "u2").tobytes()
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, 8),  # bits per sample, stored at offset 8
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 16),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, len(content)),
    ]

    def entry(tag, kind, count, value):
        form = "HH" if kind == 3 and count == 1 else "I"
        values = (value, 0) if form == "HH" else (value,)
        return struct.pack(f"{order}HHI{form}", tag, kind, count, *values)

    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entry(*e) for e in entries)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 16 + len(content))
    bits = struct.pack(f"{order}4H", *[16] * 4)
    path.write_bytes(head + bits + content + directory + bytes(4))
    return path


def files_of(folder, pixels, alpha=65535):
    """The pixels in every kind of file that can contain 16-bit colours."""
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], alpha)])
    yield wide_png(folder / "rgb.png", pixels)
    yield wide_png(folder / "rgba.png", opaque)
    yield wide_tiff(folder / "little.tif", pixels, "<")
    yield wide_tiff(folder / "big.tif", pixels, ">")
    np.save(folder / "array.npy", pixels.astype("uint16"))
    yield folder / "array.npy"


@pytest.mark.parametrize("factor", [1, 256, 257])
def test_wide_colors_that_are_of_8_bits_are_these(tmp_path, factor):
    colors = np.array(PALETTE)[IDS]
    for file in files_of(tmp_path, factor * colors, alpha=factor * 255):
        assert np.array_equal(read_colors(file), colors), file
        mapping = LabelMapping(palette=PALETTE, void_labels=None)
        assert np.array_equal(read_label_map(file, 4, label_mapping=mapping), IDS), file


def test_colors_that_need_16_bits_are_refused_by_name(tmp_path):
    pixels = 257 * np.array(PALETTE)[IDS]
    pixels[1, 2, 0] += 1
    for file in files_of(tmp_path, pixels):
        ending = r"257 times that; got 0 to 65535; 8.3 % of the pixels are not of this kind"
        wanted = rf"{file.name}: .*{ending}"
        with pytest.raises(ValueError, match=wanted):
            read_colors(file)


def test_arrays_of_colors_may_be_of_any_integers(tmp_path):
    colors = np.array(PALETTE)[IDS]
    np.save(tmp_path / "a.npy", colors.astype("int64"))
    assert np.array_equal(read_colors(tmp_path / "a.npy"), colors)
    np.save(tmp_path / "b.npy", colors - 1)
    with pytest.raises(ValueError, match=r"b\.npy: .* must be in 0\.\.255, .* got -1 to 254"):
        read_colors(tmp_path / "b.npy")


def test_grey_colors_are_ids_where_this_is_said(tmp_path):
    ids = (np.arange(12) * 20).reshape(3, 4).astype("uint8")
    grey = np.dstack([ids] * 3)
    Image.fromarray(grey).save(tmp_path / "rgb.png")
    Image.fromarray(ids).convert("RGBA").save(tmp_path / "rgba.png")
    Image.fromarray(ids).convert("LA").save(tmp_path / "la.png")
    Image.fromarray(ids).save(tmp_path / "l.png")
    wide_png(tmp_path / "wide.png", 257 * grey.astype(int))
    wide_png(tmp_path / "shifted.png", grey.astype(int) << 8)
    wide_png(tmp_path / "ids.png", grey.astype(int))
    np.save(tmp_path / "array.npy", grey)
    for file in tmp_path.iterdir():
        assert np.array_equal(read_ids(file, grey=True), ids), file
        mapping = LabelMapping(palette="grey", offset=-20, void_labels=0)
        labels = read_label_map(file, 201, label_mapping=mapping, void_class=True)
        assert labels[0].tolist() == [201, 0, 20, 40], file
    with pytest.raises(ValueError, match=r'ids must be in one .* LabelMapping\(palette="grey"\)'):
        read_ids(tmp_path / "rgb.png")
    assert LabelMapping(palette="grey")(grey).tolist() == ids.tolist()
    assert repr(LabelMapping(palette="grey", remap={0: 0})) == (
        "LabelMapping(palette='grey', remap={0: 0})"
    )


def test_other_colors_are_no_grey(tmp_path):
    colors = np.dstack([IDS, IDS, IDS]).astype("uint8")
    colors[0, 0] = (0, 0, 9)
    Image.fromarray(colors).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png: .*all three channels; 8.3 % of the pixels"):
        read_ids(tmp_path / "a.png", grey=True)
    with pytest.raises(ValueError, match=r"got mode RGB; LabelMapping\(palette=\.+\) maps colours"):
        read_ids(tmp_path / "a.png")
    with pytest.raises(ValueError, match="b: with palette"):
        grey_ids(colors, "b")


def test_wide_colors_with_transparent_pixels_have_no_label(tmp_path):
    pixels = np.dstack([257 * np.array(PALETTE)[IDS], np.full(IDS.shape, 65535)])
    pixels[0, 0, 3] = 255
    with pytest.raises(ValueError, match=r"a\.png: transparent pixels"):
        read_colors(wide_png(tmp_path / "a.png", pixels))


def test_wide_grey_with_alpha_is_refused(tmp_path):
    rows = b"".join(b"\0" + bytes([1, 1, 255, 255]) * 3 for _ in range(4))
    (tmp_path / "a.png").write_bytes(png(3, 4, rows, bits=16, color=4))
    with pytest.raises(ValueError, match=r"a\.png: .*16 bits per channel and alpha"):
        read_labels(tmp_path / "a.png")


def test_transparent_grey_has_no_label(tmp_path):
    Image.new("LA", (4, 3), (7, 128)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png: transparent pixels .*save the label map"):
        read_ids(tmp_path / "a.png", grey=True)
