import numpy as np
import pytest
from PIL import Image, ImageFile
from support.hostile_files import packed_png

from keras_spade.datasets import LabelMapping
from keras_spade.datasets.folders.reading import read_ids, read_rgb
from keras_spade.datasets.folders.sample_reader import SampleReader, chosen_mapping
from keras_spade.images import nearest_index

NO_DRAWS = (0.0, 0.0, 0.9)
PALETTE = [value for k in range(256) for value in (255 - k, k, 7)]


def test_labels_are_resized_as_in_the_layers():
    from keras_spade.layers import nearest_resize

    for size_in, size_out in [(5, 12), (480, 286), (360, 286), (7, 7), (1000, 3), (97, 193)]:
        ids = np.arange(size_in, dtype=np.int32)[None, :, None]
        wanted = nearest_resize(ids, size_out, 1)[0, :, 0]
        assert np.array_equal(nearest_index(size_in, size_out), wanted)


def slow_nearest(size_in, size_out):
    ratio = np.float32(np.float32(size_in) / np.float32(size_out))
    return [min(int(np.float32(i) * ratio), size_in - 1) for i in range(size_out)]


def save(path, array, mode=None, **options):
    image = Image.fromarray(array)
    if mode == "P":
        image.putpalette(PALETTE)
    image.save(path, **options)
    return str(path)


def mode_of(path):
    with Image.open(path) as image:
        return image.mode


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def pair(tmp_path, rng):
    """An image and a label map of 24 x 30 pixels, with labels 0..4."""
    image = rng.integers(0, 256, (24, 30, 3), dtype=np.uint8)
    labels = rng.integers(0, 5, (24, 30), dtype=np.uint8)
    return save(tmp_path / "x.png", image), save(tmp_path / "y.png", labels)


def test_nearest_index_follows_the_formula():
    for size_in, size_out in [(8, 4), (7, 3), (6, 8), (112, 48), (224, 96), (480, 130), (5, 5)]:
        assert nearest_index(size_in, size_out).tolist() == slow_nearest(size_in, size_out)
    assert nearest_index(8, 4).tolist() == [0, 2, 4, 6]
    exact = [i * 112 // 48 for i in range(48)]
    lower = np.array(exact) - nearest_index(112, 48)
    assert sorted(set(lower.tolist())) == [0, 1]


def test_values_of_a_resize(pair):
    reader = SampleReader(num_classes=5, image_size=(10, 13))
    labels, image = reader(pair, NO_DRAWS)
    source = np.asarray(Image.open(pair[1]))
    rows, columns = slow_nearest(24, 10), slow_nearest(30, 13)
    assert labels.tolist() == [[int(source[r, c]) for c in columns] for r in rows]
    resized = np.asarray(Image.open(pair[0]).resize((13, 10), Image.BICUBIC))
    assert np.array_equal(image, resized)
    assert (labels.dtype, image.dtype) == (np.uint8, np.uint8)


@pytest.mark.parametrize(
    ("crop", "draws", "corner", "flipped"),
    [
        ("random", (0.0, 0.0, 0.9), (0, 0), False),
        ("random", (0.999, 0.999, 0.5), (6, 8), False),
        ("random", (0.5, 0.25, 0.499), (3, 2), True),
        ("center", (0.0, 0.999, 0.0), (3, 4), True),
    ],
)
def test_crop_and_flip_are_the_same_for_all_maps(pair, crop, draws, corner, flipped):
    reader = SampleReader(5, image_size=(10, 12), load_size=(16, 20), crop=crop, flip=True)
    labels, image, instances = reader([*pair, pair[1]], draws)
    full = SampleReader(5, image_size=(16, 20))
    full_labels, full_image = full(pair, NO_DRAWS)
    top, left = corner
    window = np.s_[top : top + 10, left : left + 12]
    turn = np.s_[:, ::-1] if flipped else np.s_[:]
    assert np.array_equal(labels, full_labels[window][turn])
    assert np.array_equal(image, full_image[window][turn])
    assert np.array_equal(instances, labels)


def test_no_flip_unless_asked(pair):
    reader = SampleReader(5, image_size=(24, 30))
    assert np.array_equal(reader(pair, (0, 0, 0.0))[0], reader(pair, (0, 0, 0.9))[0])


def test_void_pixels_become_one_more_class(tmp_path):
    ids = np.array([[0, 255], [1, 2]], np.uint8)
    files = save(tmp_path / "x.png", np.zeros((2, 2, 3), np.uint8)), save(tmp_path / "y.png", ids)
    reader = SampleReader(3, image_size=(2, 2), void_class=True)
    assert reader(files, NO_DRAWS)[0].tolist() == [[0, 3], [1, 2]]
    with pytest.raises(
        ValueError, match=r"y\.png: 1 pixels have the void id 255;.*void_class=True .* id 3"
    ):
        SampleReader(3, image_size=(2, 2))(files, NO_DRAWS)
    with pytest.raises(
        ValueError, match=r"y\.png: label ids out of range: 2; .* 0\.\.1 and void_label=255"
    ):
        SampleReader(2, image_size=(2, 2), void_class=True)(files, NO_DRAWS)
    with pytest.raises(ValueError, match=r"out of range: 255; .* void_label=None"):
        SampleReader(3, image_size=(2, 2), label_mapping=LabelMapping(void_labels=None))(
            files, NO_DRAWS
        )


@pytest.mark.parametrize("bits", [2, 4])
def test_ids_of_few_bits_are_the_numbers_stored(tmp_path, bits):
    ids = np.random.default_rng(0).integers(0, 2**bits, (7, 9)).astype("uint8")
    (tmp_path / "x.png").write_bytes(packed_png(ids, bits))
    assert np.array_equal(read_ids(tmp_path / "x.png"), ids)


def test_palette_files_give_indices(tmp_path, rng):
    ids = rng.integers(0, 182, (6, 5), dtype=np.uint8)
    file = save(tmp_path / "y.png", ids, mode="P")
    assert mode_of(file) == "P"
    assert np.array_equal(read_ids(file), ids)


def test_wide_ids_survive(tmp_path):
    ids = np.array([[0, 300], [40000, 65535]])
    sixteen = save(tmp_path / "a.png", ids.astype(np.uint16))
    assert mode_of(sixteen) == "I;16"
    assert read_ids(sixteen).tolist() == ids.tolist()
    thirty_two = save(tmp_path / "b.tif", (ids + 100000).astype(np.int32))
    assert mode_of(thirty_two) == "I"
    assert read_ids(thirty_two).tolist() == (ids + 100000).tolist()
    image = save(tmp_path / "x.png", np.zeros((2, 2, 3), np.uint8))
    label = save(tmp_path / "y.png", np.zeros((2, 2), np.uint8))
    for file, wanted in ((sixteen, ids), (thirty_two, ids + 100000)):
        instances = SampleReader(1, image_size=(2, 2))([image, label, file], NO_DRAWS)[2]
        assert instances.dtype == np.int32
        assert instances.tolist() == wanted.tolist()


def test_one_bit_files_give_zero_and_one(tmp_path):
    ids = np.array([[True, False], [False, True]])
    assert read_ids(save(tmp_path / "y.png", ids)).tolist() == [[1, 0], [0, 1]]


def test_colours_are_not_ids(tmp_path):
    file = save(tmp_path / "y.png", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match=r"y\.png: ids must be in one channel .* got mode RGB;"):
        read_ids(file)
    Image.fromarray(np.zeros((2, 2), np.float32)).save(tmp_path / "y.tif")
    with pytest.raises(ValueError, match=r"y\.tif: .* got mode F; save them as integers"):
        read_ids(tmp_path / "y.tif")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_images_of_other_modes_become_rgb(tmp_path, rng, mode):
    source = Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).convert(mode)
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    source.save(path)
    image = read_rgb(str(path))
    assert (image.mode, image.size) == ("RGB", (5, 6))
    if mode != "CMYK":
        assert np.array_equal(np.asarray(image), np.asarray(source.convert("RGB")))


def test_a_sixteen_bit_image_is_an_error(tmp_path):
    file = save(tmp_path / "x.png", np.full((2, 2), 40000, np.uint16))
    with pytest.raises(ValueError, match=r"x\.png: .* 8 bits per channel, got mode I;16"):
        read_rgb(file)


def test_different_sizes_name_both_files(tmp_path, pair):
    label = save(tmp_path / "z.png", np.zeros((30, 24), np.uint8))
    reader = SampleReader(5, image_size=(8, 8))
    resize = "; resize one of them to the size of the other, maps by nearest neighbour"
    with pytest.raises(ValueError, match=rf"x\.png is 24 x 30, .*z\.png is 30 x 24{resize}$"):
        reader((pair[0], label), NO_DRAWS)
    with pytest.raises(ValueError, match=rf"x\.png is 24 x 30, .*z\.png is 30 x 24{resize}$"):
        reader((*pair, label), NO_DRAWS)


def oriented(tmp_path, size, orientation):
    """A photograph in four colours with an EXIF orientation, and its pixels as stored."""
    pixels = np.zeros((*size, 3), np.uint8)
    half = size[0] // 2, size[1] // 2
    pixels[: half[0], : half[1]] = (255, 0, 0)
    pixels[half[0] :, half[1] :] = (0, 0, 255)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return save(tmp_path / "x.png", pixels, exif=exif), pixels


def test_a_photograph_is_turned_if_its_labels_are(tmp_path):
    image, pixels = oriented(tmp_path, (24, 30), 6)
    assert read_rgb(image).size == (30, 24)
    label = save(tmp_path / "y.png", np.zeros((30, 24), np.uint8))
    turned = SampleReader(5, image_size=(30, 24))((image, label), NO_DRAWS)[1]
    # Orientation 6: the first stored row is the right column.
    assert np.array_equal(turned, np.rot90(pixels, -1))
    label = save(tmp_path / "z.png", np.zeros((24, 30), np.uint8))
    alone = SampleReader(5, image_size=(24, 30))((image, label), NO_DRAWS)[1]
    assert np.array_equal(alone, pixels)


@pytest.mark.parametrize(("size", "orientation"), [((24, 30), 3), ((24, 24), 6)])
def test_a_photograph_of_which_the_size_tells_nothing_is_an_error(tmp_path, size, orientation):
    image, pixels = oriented(tmp_path, size, orientation)
    label = save(tmp_path / "y.png", np.zeros(size, np.uint8))
    wanted = rf"x\.png: its EXIF orientation {orientation} turns or mirrors it.*y\.png"
    with pytest.raises(ValueError, match=wanted):
        SampleReader(5, image_size=size)((image, label), NO_DRAWS)
    reader = SampleReader(5, image_size=size, as_stored=True)
    assert np.array_equal(reader((image, label), NO_DRAWS)[1], pixels)


def test_sizes_that_differ_turned_or_not(tmp_path):
    image, _ = oriented(tmp_path, (24, 30), 6)
    label = save(tmp_path / "y.png", np.zeros((31, 24), np.uint8))
    with pytest.raises(ValueError, match=r"is 31 x 24; the image has the EXIF orientation 6"):
        SampleReader(5, image_size=(8, 8))((image, label), NO_DRAWS)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_broken_files_are_named(tmp_path, rng, suffix):
    path = tmp_path / f"broken.{suffix}"
    save(path, rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=rf"broken\.{suffix}: cannot be read .* truncated"):
        read_rgb(str(path))
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=rf"broken\.{suffix}: .* the file is empty"):
        read_rgb(str(path))
    path.write_bytes(b"not an image, but text")
    with pytest.raises(ValueError, match=rf"broken\.{suffix}: .* cannot identify image file"):
        read_rgb(str(path))
    path.unlink()
    with pytest.raises(ValueError, match=rf"broken\.{suffix}: .* No such file"):
        read_rgb(str(path))


def test_pillow_set_to_pass_truncated_files_is_an_error(pair, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(ValueError, match=r"x\.png: .*LOAD_TRUNCATED_IMAGES is True"):
        read_rgb(pair[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, r"num_classes must be a positive integer, got 0"),
        ({"num_classes": 2.0}, r"num_classes must be a positive integer, got 2\.0"),
        ({"image_size": 8}, r"image_size must be two positive integers .*, got 8"),
        ({"image_size": (8, 0)}, r"image_size must be two positive integers .*, got \(8, 0\)"),
        ({"image_size": (8, 8, 3)}, r"image_size must be two .*, got \(8, 8, 3\)"),
        ({"load_size": (9, 7)}, r"load_size must be at least image_size=\(8, 8\) .*\(9, 7\)"),
        ({"crop": "centre"}, r'crop must be "random" or "center", got \'centre\''),
        ({"resize": "fit"}, r"resize must be one of stretch, scale_width, .*, got 'fit'"),
        ({"resize": "scale_width", "load_size": 7}, r"load_size must be at least 8 with resize"),
        ({"resize": "none", "load_size": 8}, r'load_size must be None with resize="none", got 8'),
        ({"label_mapping": {}}, r"label_mapping must be a LabelMapping, got \{\}"),
        (
            {"label_mapping": LabelMapping(void_labels=None), "void_class": True},
            r"void_class=True needs the void_label",
        ),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SampleReader(**{"num_classes": 5, "image_size": (8, 8), **arguments})


def test_a_void_label_among_the_classes_is_an_error():
    with pytest.raises(
        ValueError, match=r"void_label must be None or an id above .*0\.\.4.*, got 4"
    ):
        chosen_mapping(5, 4, None)
    assert chosen_mapping(5, -1, None).void_labels == [-1]
    with pytest.raises(ValueError, match="with num_classes=256, 255 is a class.*void_label=None"):
        chosen_mapping(256, 255, None)
    assert chosen_mapping(256, None, None).void_labels == []
