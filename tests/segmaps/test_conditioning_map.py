import keras
import numpy as np
import pytest
from support.backends import sixty_four_bits
from support.golden_files import load_golden
from support.harness import check_layer, golden_segmap, to_numpy

from keras_spade.layers import ConditioningMap, encode_labels

WORDS = "'here': `segmap` must be integer labels .* or a one-hot or float map"


@pytest.mark.parametrize(("source", "target"), [((18, 12), (8, 8)), ((6, 10), (8, 6))])
def test_resized_by_pytorchs_indices(source, target):
    index = load_golden("nearest_index")
    rows, columns = (index[f"out/in{i}_out{o}"] for i, o in zip(source, target, strict=True))
    rng = np.random.default_rng(0)
    labels, edges = rng.integers(0, 5, (2, *source)), rng.integers(0, 2, (2, *source))
    picked = np.s_[:, rows[:, None], columns]
    one_hot = np.eye(5, dtype="float32")
    want = np.concatenate([one_hot[labels[picked]], edges[picked][..., None]], axis=-1)

    layer = ConditioningMap(*target, num_classes=5)
    np.testing.assert_array_equal(to_numpy(layer(labels)), want[..., :5])
    np.testing.assert_array_equal(to_numpy(layer(labels, edges.astype("float32"))), want)
    np.testing.assert_array_equal(to_numpy(layer(labels, edges)), want)
    np.testing.assert_array_equal(to_numpy(encode_labels(labels, 5, *target, edges)), want)

    floats = rng.normal(size=(2, *source, 3)).astype("float32")
    np.testing.assert_array_equal(to_numpy(ConditioningMap(*target)(floats)), floats[picked])
    np.testing.assert_array_equal(to_numpy(layer(floats)), floats[picked])
    integers = one_hot[labels].astype("int32")
    np.testing.assert_array_equal(to_numpy(ConditioningMap(*target)(integers)), want[..., :5])


def test_labels_and_one_hot_map_agree():
    golden = load_golden("spade_syncbatch3x3_seg_smaller")
    shape = golden["in/x"].shape[2:]
    layer = ConditioningMap(*shape, num_classes=golden.config["semantic_nc"])
    labels, one_hot = (golden_segmap(golden, form) for form in ("labels", "map"))
    np.testing.assert_array_equal(to_numpy(layer(labels)), to_numpy(layer(one_hot)))


def test_maps_have_the_compute_dtype():
    labels, edges = np.array([[[0, 2], [1, 1]]]), np.array([[[0, 1], [0, 1]]])
    got = ConditioningMap(2, 2, num_classes=3, dtype="mixed_bfloat16")(labels, edges)
    assert keras.backend.standardize_dtype(got.dtype) == "bfloat16"
    np.testing.assert_array_equal(to_numpy(got)[0, 0], [[1, 0, 0, 0], [0, 0, 1, 1]])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64"])
def test_integer_dtypes(dtype):
    labels = np.array([[[0, 200], [255, 1]]]).astype(dtype)
    want = np.eye(256)[[[[0, 200], [255, 1]]]]
    if dtype == "uint8":
        assert labels.max() == 255
    np.testing.assert_array_equal(to_numpy(ConditioningMap(2, 2, 256)(labels)), want)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_ids_out_of_range_have_no_channel(dtype):
    labels = np.array([[[0, 3], [4, 255]]]).astype(dtype)
    if dtype != "uint8":
        labels[0, 0, 0] = -1
    want = np.eye(256)[labels][..., :4]
    np.testing.assert_array_equal(to_numpy(ConditioningMap(2, 2, 4)(labels)), want)


def test_what_every_layer_must_do():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, (2, 12, 10)).astype("int32")
    edges = rng.integers(0, 2, (2, 12, 10)).astype("float32")
    floats = rng.normal(size=(2, 12, 10, 3)).astype("float32")
    for inputs, channels in [((labels,), 4), ((labels, edges), 5), ((floats,), 3)]:
        check_layer(
            lambda: ConditioningMap(5, 6, num_classes=4), *inputs, output_shape=(2, 5, 6, channels)
        )


@pytest.mark.parametrize(
    ("shape", "dtype", "num_classes"),
    [
        ((8, 8), "int32", 5),
        ((1, 8, 8, 5, 1), "float32", 5),
        ((1, 8, 8), "float32", 5),
        ((1, 8, 8), "bool", 5),
        ((1, 8, 8, 1), "int64", 5),
        ((1, 8, 8), "int32", None),
    ],
)
@sixty_four_bits()
def test_segmaps_it_cannot_read(shape, dtype, num_classes):
    layer = ConditioningMap(4, 4, num_classes, name="here")
    with pytest.raises(ValueError, match=WORDS) as error:
        layer(np.zeros(shape, dtype))
    assert f"got shape {shape}, dtype {dtype}, num_classes={num_classes}" in str(error.value)


def test_edges_need_integer_labels():
    layer = ConditioningMap(4, 4, 5, name="here")
    with pytest.raises(ValueError, match=f"{WORDS}.*edges given"):
        layer(np.zeros((1, 8, 8, 5), "float32"), np.zeros((1, 8, 8), "float32"))


def test_symbolic_labels_without_num_classes():
    with pytest.raises(ValueError, match=WORDS):
        ConditioningMap(4, 4, name="here")(keras.Input((8, 8), dtype="int32"))
