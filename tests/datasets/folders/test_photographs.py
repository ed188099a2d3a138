"""Images with any number of channels and bits, from files of every kind to batches."""

import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_spade.datasets import (
    inspect_dataset,
    paired_folders,
    read_image,
    tfrecords,
    write_tfrecords,
)
from keras_spade.datasets.folders.raster import Raster
from keras_spade.datasets.folders.reading import TURNS

RNG = np.random.default_rng(0)
SIXTEEN = RNG.integers(0, 4096, (8, 12)).astype("uint16")
HOUNSFIELD = RNG.integers(-1000, 3000, (8, 12)).astype("int32")
FLOATS = RNG.uniform(-2, 5, (8, 12)).astype("float32")
RGB = RNG.integers(0, 256, (8, 12, 3)).astype("uint8")


def scaled(pixels, low, high):
    """The expected values, computed with NumPy."""
    return np.clip(2 * (pixels.astype("float64") - low) / (high - low) - 1, -1, 1)


def written(folder, name, pixels):
    """A file written with NumPy, TensorFlow or Pillow."""
    file = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    if name.endswith(".npy"):
        np.save(file, pixels)
    elif pixels.ndim == 3 and pixels.dtype == np.uint16:
        file.write_bytes(tf.io.encode_png(pixels).numpy())
    else:
        Image.fromarray(pixels).save(file)
    return file


SCALED = {
    "16 bits, PNG": ("1.png", SIXTEEN, (0, 4095), 1),
    "16 bits, TIFF": ("1.tif", SIXTEEN, (0, 4095), 1),
    "a window of a CT, TIFF": ("1.tiff", HOUNSFIELD, (-200.0, 400), 1),
    "floats, TIFF": ("1.tif", FLOATS, (0, 1), 1),
    "16 bits, .npy": ("1.npy", SIXTEEN, (0, 4095), 1),
    "int16 of other bytes, .npy": ("1.npy", HOUNSFIELD.astype(">i2"), (-1000, 3000), 1),
    "RGB of 16 bits, PNG": ("1.png", np.stack([SIXTEEN] * 3, -1), (0, 4095), 3),
    "thirteen bands, .npy": ("1.npy", RNG.uniform(0, 1, (8, 12, 13)), (0, 1), 13),
    "bytes with a range": ("1.png", RGB, (0, 200), 3),
}


@pytest.mark.parametrize("kind", SCALED)
def test_numbers_are_scaled_as_they_are_said_to_be(tmp_path, kind):
    name, pixels, image_range, channels = SCALED[kind]
    image = read_image(written(tmp_path, name, pixels), channels, image_range)
    assert image.dtype == np.float32 and image.shape == (8, 12, channels)
    want = scaled(pixels, *image_range).reshape(image.shape)
    np.testing.assert_allclose(image, want, atol=1e-6)


def test_bytes_stay_what_they_are(tmp_path):
    four = RNG.integers(0, 256, (8, 12, 4)).astype("uint8")
    for name, pixels, channels, want in (
        ("rgb.tif", RGB, 3, RGB),
        ("rgb.npy", RGB, 3, RGB),
        ("grey.npy", RGB[..., 0], 3, np.repeat(RGB[..., :1], 3, -1)),
        ("grey.png", RGB[..., 0], 1, RGB[..., :1]),
        ("bands.tif", four, 4, four),
        ("bands.npy", four, 4, four),
    ):
        image = read_image(written(tmp_path, name, pixels), channels)
        assert image.dtype == np.uint8 and np.array_equal(image, want), name
    grey = read_image(tmp_path / "rgb.tif", 1)
    assert np.array_equal(grey[..., 0], np.asarray(Image.fromarray(RGB).convert("L")))


@pytest.mark.parametrize(
    "kind", [kind for kind in SCALED if "RGB" not in kind and "bytes with" not in kind]
)
def test_without_a_range_they_are_refused(tmp_path, kind):
    name, pixels, _, channels = SCALED[kind]
    file = written(tmp_path, name, pixels)
    with pytest.raises(ValueError, match=rf"{file}: .* image_range=\(low, high\)"):
        read_image(file, channels)


@pytest.mark.parametrize("name", ["1.png", "1.npy"])
@pytest.mark.parametrize(("bits", "ranges"), [(12, "(0, 4095) or (0, 65535)"), (16, "(0, 65535)")])
def test_photographs_that_need_16_bits_are_refused_with_ranges(tmp_path, name, bits, ranges):
    colors = np.linspace(1, 2**bits - 1, 8 * 12 * 3).astype("uint16").reshape(8, 12, 3)
    file = written(tmp_path, name, colors)
    with pytest.raises(ValueError) as caught:
        read_image(file)
    assert str(caught.value) == (
        f"{file}: its pixels are uint16, 1..{2**bits - 1}, not 8 bits per channel; set "
        f"image_range=(low, high), the values that become -1 and 1, such as {ranges}"
    )


def test_of_8_bits_stored_with_16_these_are_read(tmp_path):
    alpha = np.full((8, 12, 1), 300, "uint16")  # It needs 16 bits, but is dropped.
    wide = 257 * RGB.astype("uint16")
    for number, pixels in enumerate((wide, np.dstack([wide, alpha]))):
        file = written(tmp_path, f"{number}.png", pixels)
        assert np.array_equal(read_image(file), RGB)
        grey = np.asarray(Image.fromarray(RGB).convert("L"))
        assert np.array_equal(read_image(file, 1)[..., 0], grey)
    for name, pixels in (("a.png", wide[..., 0]), ("b.png", np.dstack([wide[..., :1], alpha]))):
        file = written(tmp_path, name, pixels)
        assert np.array_equal(read_image(file), np.repeat(RGB[..., :1], 3, -1))
        assert np.array_equal(read_image(file, 1), RGB[..., :1])
    assert np.array_equal(read_image(written(tmp_path, "1.npy", wide)), RGB)


def test_alpha_of_16_bits_is_dropped_like_that_of_8(tmp_path):
    for channels in (1, 3):
        pixels = RNG.integers(0, 4096, (8, 12, channels + 1)).astype("uint16")
        file = written(tmp_path, f"{channels}.png", pixels)
        for wanted in {channels, 3}:
            want = np.broadcast_to(pixels[..., :-1], (8, 12, wanted))
            image = read_image(file, wanted, (0, 4095))
            np.testing.assert_allclose(image, scaled(want, 0, 4095), atol=1e-6)
        image = read_image(file, channels + 1, (0, 4095))
        np.testing.assert_allclose(image, scaled(pixels, 0, 4095), atol=1e-6)


def test_without_tensorflow_grey_of_16_bits_with_alpha_is_refused(tmp_path, monkeypatch):
    colors = np.arange(8 * 12 * 3, dtype="uint16").reshape(8, 12, 3)
    rgb, grey = written(tmp_path, "1.png", colors), written(tmp_path, "2.png", colors[..., :2])
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert np.allclose(read_image(rgb, 3, (0, 2**16 - 1)), scaled(colors, 0, 2**16 - 1))
    with pytest.raises(ValueError, match="2.png: reading a 16-bit grey PNG .* or as .npy"):
        read_image(grey, 1, (0, 2**16 - 1))


def test_what_does_not_fit_is_refused(tmp_path):
    file = written(tmp_path, "1.npy", np.zeros((8, 12, 4), "uint8"))
    for channels in (1, 3, 5):
        with pytest.raises(
            ValueError, match=rf"{file}: it has 4 channels .*, not the {channels} of image"
        ):
            read_image(file, channels)
    with pytest.raises(ValueError, match="it has 3 channels .*, not the 4 of image_channels"):
        read_image(written(tmp_path, "1.png", RGB), 4)
    first = written(tmp_path, "first.npy", np.zeros((3, 8, 12), "uint8"))
    with pytest.raises(ValueError, match="not the 3 of .*channels come last: save np.moveaxis"):
        read_image(first)
    for image_range in ((1, 1), (255, 0), 255, (0, np.nan), (0, 1, 2), "01"[:1]):
        with pytest.raises(ValueError, match=r"image_range must be \(low, high\)"):
            read_image(file, 4, image_range)
    with pytest.raises(ValueError, match="image_channels must be a positive integer, got 0"):
        read_image(file, 0)
    broken = FLOATS.copy()
    broken[2, 3] = np.nan
    with pytest.raises(ValueError, match="2.npy: it contains NaN"):
        read_image(written(tmp_path, "2.npy", broken), 1, (0, 1))
    for array in (np.zeros((2, 2), "complex64"), np.zeros((2, 2, 2, 2)), np.array([{}])):
        with pytest.raises(ValueError, match="3.npy: cannot be read as an array"):
            read_image(written(tmp_path, "3.npy", array), 1, (0, 1))


def own_folder(folder, images):
    """Label maps for images with these names."""
    for name, pixels in images.items():
        written(folder / "images", name, pixels)
        labels = np.zeros(pixels.shape[:2], "uint8")
        labels[:, ::2] = 1
        written(folder / "labels", f"{name.partition('.')[0]}.png", labels)
    return folder


@pytest.fixture(scope="module")
def bands(tmp_path_factory):
    """Two samples with four 12-bit bands."""
    folder = tmp_path_factory.mktemp("bands")
    images = {f"{i}.npy": RNG.integers(0, 4096, (8, 12, 4)).astype("uint16") for i in range(2)}
    return own_folder(folder, images), images


def test_batches_are_cropped_and_flipped_like_their_labels(bands):
    folder, images = bands
    options = {"image_channels": 4, "image_range": (0, 4095), "shuffle": False}
    data = paired_folders(folder, 2, (8, 12), 2, **options)
    (batch,) = data.as_numpy_iterator()
    assert data.element_spec["image"].shape.as_list() == [None, 8, 12, 4]
    want = scaled(np.stack(list(images.values())), 0, 4095)
    np.testing.assert_allclose(batch["image"], want, atol=1e-6)
    cropped = paired_folders(folder, 2, (4, 6), 1, load_size=(8, 12), flip=True, **options)
    for _ in range(3):
        for sample, whole in zip(cropped.as_numpy_iterator(), want, strict=True):
            windows = (
                whole[top : top + 4, left : left + 6][:, ::step]
                for top in range(5)
                for left in range(7)
                for step in (1, -1)
            )
            assert any(np.allclose(sample["image"][0], window, atol=1e-6) for window in windows)


def test_resizing_is_pillows_of_each_channel_and_goes_not_beyond(bands):
    folder, images = bands
    options = {"image_channels": 4, "image_range": (0, 4095), "shuffle": False}
    (batch,) = paired_folders(folder, 2, (16, 16), 2, **options).as_numpy_iterator()
    assert -1 <= batch["image"].min() and batch["image"].max() <= 1
    for image, pixels in zip(batch["image"], images.values(), strict=True):
        for band in range(4):
            floats = Image.fromarray(scaled(pixels[..., band], 0, 4095).astype("float32"))
            want = np.asarray(floats.resize((16, 16), Image.Resampling.BICUBIC))
            np.testing.assert_allclose(image[..., band], want.clip(-1, 1), atol=1e-5)


@pytest.mark.parametrize("of_bytes", [True, False])
def test_records_carry_them_without_loss(tmp_path, of_bytes):
    images = {"1.png": SIXTEEN, "2.tif": HOUNSFIELD, "3.npy": FLOATS}
    options = {"image_channels": 1, "image_range": (-3, 4000)}
    if of_bytes:
        images = {"1.png": RGB[..., 0], "2.tif": RGB[..., 1], "3.npy": RGB[..., 2]}
        options = {"image_channels": 1}
    folder = own_folder(tmp_path / "data", images)
    data = paired_folders(folder, 2, (6, 6), 3, seed=1, flip=True, **options)
    assert write_tfrecords(data, tmp_path / "records", verbose=0) == 3
    records = tfrecords(tmp_path / "records", (6, 6), 3, seed=1, flip=True)
    for one, other in zip(data.as_numpy_iterator(), records.as_numpy_iterator(), strict=True):
        assert all(np.array_equal(one[key], other[key]) for key in one)
        assert one["image"].shape == (3, 6, 6, 1)


def test_inspection_reports_them_and_its_call_reads_them(bands, tmp_path):
    folder, images = bands
    report = inspect_dataset(folder, contact_sheet=tmp_path / "sheet.png", verbose=0)
    pixels = np.stack(list(images.values()))
    low, high = int(pixels.min()), int(pixels.max())
    assert not report.bad_files and report.image_kinds == {(4, "uint16"): 2}
    assert report.image_range == (low, high)
    assert f"  4 x uint16: 2\n  from {low} to {high}\n" in str(report)
    assert f"image_channels=4,\n    image_range=({low}, {high})," in report.call
    import keras_spade

    (batch,) = eval(report.call, {"keras_spade": keras_spade}).take(1)
    assert batch["image"].shape == (1, 256, 384, 4)
    # The range is not guessed: without one, every file is reported.
    data = paired_folders(folder, 2, (8, 12), image_channels=4)
    bad = inspect_dataset(data, verbose=0).bad_files
    assert len(bad) == 2 and all("image_range=(low, high)" in reason for reason in bad.values())


@pytest.mark.parametrize("bits", [8, 12])
def test_inspection_sees_all_bits_of_photographs(tmp_path, bits):
    alpha = np.full((8, 12, 1), 2**16 - 1, "uint16")
    colors = RNG.integers(0, 2**bits, (8, 12, 3)).astype("uint16")
    low, high = int(colors.min()), int(colors.max())
    wide = colors * (257 if bits == 8 else 1)
    folder = own_folder(tmp_path, {"1.png": wide, "2.png": np.dstack([wide, alpha])})
    report = inspect_dataset(folder, contact_sheet=tmp_path / "sheet.png", verbose=0)
    assert report.image_kinds == {(3, "uint8" if bits == 8 else "uint16"): 2}
    assert report.image_range == (low, high) and not report.bad_files
    assert (f"image_range=({low}, {high})," in report.call) == (bits == 12)
    import keras_spade

    (batch,) = eval(report.call, {"keras_spade": keras_spade}).take(1)
    assert batch["image"].shape[-1] == 3


@pytest.mark.parametrize(
    ("value", "dtype", "proposed", "read"),
    [
        (1000, "uint16", (0, 1000), 1.0),
        (-40, "int16", (-40, 0), -1.0),
        (0, "float32", (0, 1), -1.0),
    ],
)
def test_images_of_one_number_are_reported_with_a_range_that_loads(
    tmp_path, value, dtype, proposed, read
):
    folder = own_folder(tmp_path, {"1.npy": np.full((8, 12), value, dtype)})
    report = inspect_dataset(folder, contact_sheet=tmp_path / "sheet.png", verbose=0)
    assert report.image_range == (value, value) and not report.bad_files
    assert f"image_range=({proposed[0]}, {proposed[1]})," in report.call.replace(".0", "")
    assert any(f"all pixels of all images are {value}" in note for note in report.notes)
    image = read_image(folder / "images" / "1.npy", 1, proposed)
    assert np.array_equal(image, np.full((8, 12, 1), read, "float32"))


def test_tiffs_of_many_bands(tmp_path):
    tifffile = pytest.importorskip("tifffile", reason="Pillow reads no TIFF of many bands")
    pixels = RNG.integers(0, 4096, (8, 12, 5)).astype("uint16")
    for name, array, options in (
        ("a.tif", pixels, {"photometric": "minisblack", "planarconfig": "contig"}),
        (
            "b.tif",
            np.moveaxis(pixels, -1, 0),
            {"photometric": "minisblack", "planarconfig": "separate"},
        ),
        (
            "c.tif",
            pixels,
            {"photometric": "minisblack", "planarconfig": "contig", "compression": "zlib"},
        ),
    ):
        tifffile.imwrite(tmp_path / name, array, **options)
        image = read_image(tmp_path / name, 5, (0, 4095))
        np.testing.assert_allclose(image, scaled(pixels, 0, 4095), atol=1e-6)
    tifffile.imwrite(tmp_path / "d.tif", pixels[..., :3], photometric="rgb")
    with pytest.raises(ValueError, match=r"d.tif: its pixels are uint16.*image_range"):
        read_image(tmp_path / "d.tif")
    tifffile.imwrite(
        tmp_path / "e.tif", pixels[..., :4], photometric="rgb", extrasamples=["unassalpha"]
    )
    image = read_image(tmp_path / "e.tif", 3, (0, 4095))
    np.testing.assert_allclose(image, scaled(pixels[..., :3], 0, 4095), atol=1e-6)


def test_rasters_turn_as_pillow_does():
    raster = Raster(RGB, "1.npy")
    for turn in TURNS.values():
        want = np.asarray(Image.fromarray(RGB).transpose(turn))
        assert np.array_equal(raster.transpose(turn).pixels, want)
