import re

import numpy as np
import pytest
from PIL import Image

from keras_spade.datasets import LabelMapping, read_label_map
from keras_spade.datasets.folders.sample_reader import SampleReader, class_ids

PALETTE = [(0, 0, 0), (128, 64, 128), (250, 170, 30), (0, 0, 142)]


def naive(labels, function):
    """Maps a label map pixel by pixel."""
    return [[function(tuple(p) if np.ndim(p) else int(p)) for p in row] for row in labels]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "int64"])
def test_ids_counted_from_one(dtype):
    labels = np.array([[0, 1, 7], [3, 0, 150]], dtype)
    ids = LabelMapping(offset=-1, void_labels=0)(labels)
    assert ids.dtype == np.int32
    assert ids.tolist() == naive(labels, lambda n: n - 1 if n else -1)


def test_void_labels_of_every_kind():
    labels = np.array([[-1, 0, 255, 300000]])
    assert LabelMapping(void_labels=(-1, 255))(labels).tolist() == [[-1, 0, -1, 300000]]
    assert LabelMapping(void_labels=-1)(labels).tolist() == [[-1, 0, 255, 300000]]
    # Below 0 and not void: not a class, so that it is not mistaken for void.
    assert LabelMapping()(labels)[0, 0] == 2**31 - 1
    assert LabelMapping(offset=-1, void_labels=None)(labels)[0, 1] == 2**31 - 1


def test_255_is_void_by_default_unless_it_is_a_class():
    assert LabelMapping()(np.array([[255, 254]])).tolist() == [[-1, 254]]
    assert LabelMapping(remap={0: 0, 7: 1})(np.array([[255, 7]])).tolist() == [[-1, 1]]
    assert LabelMapping(remap={0: 0, 255: 1})(np.array([[255, 0]])).tolist() == [[1, 0]]
    grays = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    assert LabelMapping(palette=grays)(grays[None, 254:]).tolist() == [[254, 255]]
    by_dict = LabelMapping(palette={(0, 0, 0): 255, (1, 1, 1): 0})
    assert by_dict(grays[None, :2]).tolist() == [[-1, 0]]
    # An explicit argument takes precedence.
    voided = LabelMapping(remap={0: 0, 255: 1}, void_labels=255)
    assert voided(np.array([[255, 0]])).tolist() == [[-1, 0]]


def test_255_among_many_classes_must_be_said(tmp_path):
    Image.fromarray(np.array([[0, 255]], "uint16")).save(tmp_path / "1.png")
    named = LabelMapping(palette={(0, 0, number): number for number in range(256)})
    for mapping in (LabelMapping(), LabelMapping(offset=1), named):
        with pytest.raises(ValueError, match="the number 255 in the files is a class; set"):
            SampleReader(300, (1, 2), label_mapping=mapping)
        with pytest.raises(ValueError, match="the number 255 in the files is a class; set"):
            read_label_map(tmp_path / "1.png", 300, label_mapping=mapping)
    labels = read_label_map(tmp_path / "1.png", 300, label_mapping=LabelMapping(void_labels=None))
    assert labels.tolist() == [[0, 255]]
    SampleReader(300, (1, 2), label_mapping=LabelMapping(void_labels=None))
    SampleReader(255, (1, 2), label_mapping=LabelMapping())


@pytest.mark.parametrize("void_class", [False, True])
@pytest.mark.parametrize("num_classes", [1, 3, 254, 255, 256])
def test_bytes_are_read_as_wider_numbers_are(tmp_path, num_classes, void_class):
    rng = np.random.default_rng(num_classes)
    mappings = [
        LabelMapping(void_labels=v) for v in (None, 0, num_classes - 1, num_classes, 255, (1, 7))
    ]
    mappings += [LabelMapping(offset=-1, void_labels=0), LabelMapping(offset=2, void_labels=None)]
    mappings += [LabelMapping(remap={0: 0, 5: num_classes - 1, 9: num_classes}, void_labels=3)]

    def read(labels, mapping):
        try:
            return class_ids("x", labels, num_classes, mapping, void_class).tolist()
        except ValueError as error:
            return str(error)

    good = 0
    for mapping in mappings:
        for high in (1, 2, 10, 256):
            labels = rng.integers(0, high, (3, 4)).astype("uint8")
            wide = read(labels.astype("int32"), mapping)
            assert read(labels, mapping) == wide
            good += isinstance(wide, list)
    assert good > 3


def test_remapped_ids():
    mapping = LabelMapping(remap={0: 2, 128: 0, 70000: 1}, void_labels=[9])
    for dtype in ("int32", "int64"):
        assert mapping(np.array([[0, 128], [70000, 9]], dtype)).tolist() == [[2, 0], [1, -1]]
    assert mapping(np.array([[0, 128, 9]], "uint8")).tolist() == [[2, 0, -1]]
    with pytest.raises(ValueError, match=r"^a\.png: ids that are neither in remap nor void: 1, 2$"):
        mapping(np.array([[0, 1, 2]], "uint8"), "a.png")


def test_colors_are_numbers_then_classes():
    rng = np.random.default_rng(0)
    labels = np.array(PALETTE, "uint8")[rng.integers(0, 4, (7, 5))]
    by_place = LabelMapping(palette=PALETTE, void_labels=0)(labels)
    wanted = naive(labels, lambda color: PALETTE.index(color) or -1)
    assert by_place.tolist() == wanted
    named = {color: number * 10 for number, color in enumerate(PALETTE)}
    by_dict = LabelMapping(palette=named, remap={0: 3, 10: 2, 20: 1}, void_labels=30)(labels)
    assert by_dict.tolist() == naive(labels, lambda color: (3, 2, 1, -1)[PALETTE.index(color)])


def test_colors_of_no_class_are_counted():
    labels = np.zeros((10, 10, 3), "uint8")
    labels[0, 0], labels[3, 4] = (1, 2, 3), (5, 0, 0)
    wanted = (
        "b.png: 2 % of the pixels have one of 2 colours that are not in the palette, or neither "
        "in remap nor void: (1, 2, 3), (5, 0, 0). Was the file saved as JPEG, or resized with "
        "smoothing?"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        LabelMapping(palette=PALETTE)(labels, "b.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"remap": {0: 1}, "offset": 1}, "remap and offset=1 exclude each other"),
        ({"remap": {}}, "remap must be a dict number -> class id"),
        ({"remap": {0: -1}}, "remap must map to class ids of at least 0"),
        ({"remap": {"0": 1}}, "remap must contain integers, got '0'"),
        ({"palette": []}, "palette must contain at least one colour"),
        ({"palette": [(0, 0)]}, r"palette must contain colours \(r.*\) of 0..255, got \(0, 0\)"),
        ({"palette": [(0, 0, 256)]}, r"got \(0, 0, 256\)"),
        ({"palette": [(1, 2, 3), (1, 2, 3)]}, r"palette: the colour \(1, 2, 3\) occurs twice"),
        ({"void_labels": "255"}, "void_labels must contain integers, got '255'"),
        ({"offset": 0.5}, "offset must contain integers, got 0.5"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LabelMapping(**arguments)


def test_every_kind_of_label_file(tmp_path):
    ids = np.random.default_rng(0).integers(0, 4, (6, 5)).astype("uint8")
    grey = Image.fromarray(ids)
    indexed = Image.fromarray(ids)
    indexed.putpalette([channel for color in PALETTE for channel in color])
    colors = np.array(PALETTE, "uint8")[ids]
    grey.save(tmp_path / "grey.png")
    grey.save(tmp_path / "grey.bmp")
    grey.save(tmp_path / "grey.tif")
    Image.fromarray(ids.astype("uint16")).save(tmp_path / "wide.png")
    indexed.save(tmp_path / "indexed.png")
    np.save(tmp_path / "array.npy", ids.astype("int64"))
    np.save(tmp_path / "channel.npy", ids[..., None])
    for name in ("grey.png grey.bmp grey.tif wide.png indexed.png array.npy channel.npy").split():
        labels = read_label_map(tmp_path / name, num_classes=4)
        assert labels.dtype == np.int32 and np.array_equal(labels, ids), name
    Image.fromarray(colors).save(tmp_path / "rgb.png")
    Image.fromarray(colors).convert("RGBA").save(tmp_path / "rgba.png")
    np.save(tmp_path / "rgb.npy", colors)
    mapping = LabelMapping(palette=PALETTE)
    for name in ("rgb.png", "rgba.png", "rgb.npy", "indexed.png"):
        labels = read_label_map(tmp_path / name, num_classes=4, label_mapping=mapping)
        assert np.array_equal(labels, ids), name


def save_two(path, array):
    with open(path, "wb") as file:
        np.savez(file, a=array, b=array)


@pytest.mark.parametrize(
    ("save", "message"),
    [
        (lambda p, a: np.save(p, a.astype("float32")), "it must contain integers, got float32"),
        (lambda p, a: np.save(p, a[0]), r"its shape must be \(H, W\), got \(5,\)"),
        (lambda p, a: np.save(p, a[:0]), "has no pixels"),
        (
            lambda p, a: np.save(p, np.eye(4, dtype="uint8")[a]),
            r"must be \(H, W\), got \(6, 5, 4\); for one-hot maps, save array\.argmax",
        ),
        (lambda p, a: np.save(p, np.eye(3, dtype="uint8")[a]), "maps colours to ids"),
        (lambda p, a: np.save(p, a.astype("int64") + 2**40), "more than 32 bits"),
        (lambda p, a: np.save(p, np.array([{}], object)), "Python objects"),
        (save_two, "it contains several arrays"),
    ],
)
def test_arrays_that_are_no_ids(tmp_path, save, message):
    save(tmp_path / "y.npy", np.zeros((6, 5), "uint8"))
    with pytest.raises(ValueError, match=rf"y\.npy: cannot be read as an array: .*{message}"):
        read_label_map(tmp_path / "y.npy", num_classes=4)


@pytest.mark.parametrize("name", ["y.png", "y.jpg", "y.tif"])
def test_lossy_label_files_are_refused(tmp_path, name):
    image = Image.fromarray(np.zeros((16, 16), "uint8"))
    options = {"format": "TIFF", "compression": "jpeg"} if name == "y.tif" else {"format": "JPEG"}
    image.save(tmp_path / name, **options)
    with pytest.raises(ValueError, match=rf"{re.escape(name)}.*whose compression changes ids"):
        read_label_map(tmp_path / name, num_classes=4)


def test_arguments_that_contradict_each_other(tmp_path):
    Image.fromarray(np.array([[0, 1]], "uint8")).save(tmp_path / "1.png")
    mapping = LabelMapping(offset=-1, void_labels=0)
    with pytest.raises(ValueError, match="num_classes is needed with label_mapping"):
        read_label_map(tmp_path / "1.png", label_mapping=mapping)
    with pytest.raises(ValueError, match="void_label and label_mapping exclude each other"):
        read_label_map(tmp_path / "1.png", 3, void_label=7, label_mapping=mapping)
    with pytest.raises(ValueError, match="label_mapping must be a LabelMapping, got {0: 1}"):
        read_label_map(tmp_path / "1.png", 3, label_mapping={0: 1})
    with pytest.raises(ValueError, match="remap must contain 32-bit integers, got 4294967297"):
        LabelMapping(remap={0: 2**32 + 1})
    with pytest.raises(ValueError, match="palette must be a sequence or dict of colours, got 5"):
        LabelMapping(palette=5)
