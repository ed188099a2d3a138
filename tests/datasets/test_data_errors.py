import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from support.tiny_gan import SHAPE, tiny_batch, tiny_gan

from keras_spade.backends.tensorflow import check_label_range
from keras_spade.datasets import LabelMapping, by_epoch, paired_folders, synthetic_scenes
from keras_spade.datasets.data_errors import telling_data_errors

ADVICE = "`datasets.inspect_dataset` reports all problems with the files before training."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three pairs with ids counted from 1: the first and the last are bad for 3 classes."""
    folder = tmp_path_factory.mktemp("pairs")
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
    for number, ids in enumerate(([1, 3], [1, 2], [2, 3])):
        pixels = np.repeat(np.array(ids, "uint8"), 16)[None].repeat(32, axis=0)
        Image.fromarray(pixels).save(folder / "labels" / f"{number}.png")
        Image.new("RGB", (32, 32)).save(folder / "images" / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def gan():
    return tiny_gan(run_eagerly=True)


def wanted(folder, name):
    return (
        f"{folder}/labels/{name}.png: label ids out of range: 3; the classes are 0..2 and "
        'void_label=255. Is num_classes too small? If an id means "don\'t care", pass it as '
        "void_label, with void_class=True. For ids counted from 1, 1..3, use "
        f"label_mapping=LabelMapping(offset=-1). {ADVICE}"
    )


def read(folder, **options):
    return paired_folders(folder, 3, SHAPE[:2], batch_size=1, shuffle=False, **options)


@pytest.mark.parametrize("way", ["iteration", "next", "numpy", "fit", "evaluate", "predict"])
def test_a_bad_file_is_reported_in_one_line(folder, gan, way):
    data = read(folder)
    ways = {
        "iteration": lambda: list(data),
        "next": lambda: next(iter(data)),
        "numpy": lambda: list(data.as_numpy_iterator()),
        "fit": lambda: gan.fit(data, verbose=0),
        "evaluate": lambda: gan.evaluate(data, verbose=0),
        "predict": lambda: gan.predict(data, verbose=0),
    }
    with pytest.raises(ValueError) as caught:
        ways[way]()
    # Samples are read in parallel, so any bad one may fail first.
    assert str(caught.value) in (wanted(folder, 0), wanted(folder, 2))
    assert "\n" not in str(caught.value) and caught.value.__context__ is None
    assert isinstance(caught.value, tf.errors.InvalidArgumentError)
    assert caught.value.message == str(caught.value)


@pytest.mark.parametrize("low, high", [(0, 3), (-1, 0)])
def test_compiled_functions_too(folder, low, high):
    @telling_data_errors
    @tf.function
    def read_one(iterator):
        return check_label_range(next(iterator)["labels"], 3)

    good = {"labels": np.full((1, 2, 2), 2, "int32")}
    bad = {"labels": np.array([[[low, high]]], "int32")}
    for batch in (good, bad):
        iterator = iter(tf.data.Dataset.from_tensors(batch))
        if batch is good:
            assert read_one(iterator).shape == (1, 2, 2)
            continue
        with pytest.raises(ValueError, match=rf"ids 0..2; found .*: {low}, {high}\. Ids are"):
            read_one(iterator)
    with pytest.raises(ValueError) as caught:
        read_one(iter(read(folder)))
    assert str(caught.value) in (wanted(folder, 0), wanted(folder, 2))


def test_the_remedy_works(folder):
    batches = list(read(folder, label_mapping=LabelMapping(offset=-1)))
    assert [np.unique(batch["labels"]).tolist() for batch in batches] == [[0, 2], [0, 1], [1, 2]]


@pytest.mark.parametrize("low, high", [(0, 3), (-1, 2), (1, 255)])
def test_ids_of_arrays_are_reported_in_one_line(gan, low, high):
    batch = tiny_batch(1)
    batch["labels"][:, :8] = low
    batch["labels"][:, 8:] = high
    message = (
        f"`labels` must hold ids 0..2; found (smallest, largest): {low}, {high}. Ids are counted "
        'from 0: if yours start at 1, subtract 1. An id that means "don\'t care" becomes '
        "`num_classes`, in networks with void_class=True."
    )
    for call in (gan.fit, gan.evaluate):
        with pytest.raises(ValueError) as caught:
            call(batch, verbose=0)
        assert str(caught.value) == message
    for call in (gan.train_on_batch, gan.test_on_batch):
        with pytest.raises(ValueError) as caught:
            call(batch)
        assert str(caught.value) == message
    with pytest.raises(ValueError, match="ids 0..2"):
        gan.predict(batch["labels"], verbose=0)


def test_errors_of_other_functions_stay_as_they_are():
    def fail(number):
        raise ValueError("of the user's own")

    def for_epoch(epoch, first_batch):
        return tf.data.Dataset.range(2).map(lambda n: tf.numpy_function(fail, [n], tf.int64))

    with pytest.raises(tf.errors.InvalidArgumentError, match="of the user's own\n") as caught:
        list(by_epoch(for_epoch, 2))
    assert not isinstance(caught.value, ValueError)


def test_datasets_and_iterators_stay_tensorflows():
    data = synthetic_scenes(4, image_size=(32, 32), batch_size=1)
    traces = []

    @tf.function
    def first_label(iterator):
        traces.append(1)
        return next(iterator)["labels"][0, 0, 0]

    @tf.function
    def pixels(data):
        return data.reduce(
            tf.zeros((), tf.int64), lambda n, batch: n + tf.size(batch["labels"], tf.int64)
        )

    for _ in range(2):
        iterator = iter(data)
        assert [int(first_label(iterator)) >= 0 for _ in range(4)] == [True] * 4
        with pytest.raises(tf.errors.OutOfRangeError):
            first_label(iterator)
    assert len(traces) == 1
    assert int(pixels(data)) == 4 * 32 * 32
    assert len(list(data.take(3))) == 3 and len(list(data)) == 4
    assert (
        type(data).__name__ == type(data.apply(tf.data.experimental.assert_cardinality(4))).__name__
    )
