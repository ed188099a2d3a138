import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_spade import datasets
from keras_spade.datasets import by_epoch, paired_folders, source_of, synthetic_scenes
from keras_spade.datasets.source import source_or_none


@pytest.fixture
def folder(tmp_path):
    for name in "ab":
        for kind, shape, suffix in (("images", (9, 8, 3), "jpg"), ("labels", (9, 8), "png")):
            (tmp_path / kind).mkdir(exist_ok=True)
            Image.fromarray(np.ones(shape, "uint8")).save(tmp_path / kind / f"{name}.{suffix}")
    return tmp_path


def test_a_dataset_of_files_tells_what_it_is(folder):
    data = paired_folders(folder, 5, (8, 8), void_class=True)
    source = source_of(data)
    assert source is data.source and source.num_batches == 2
    assert (source.num_classes, source.void_class, source.has_instances) == (5, True, False)
    assert source.image_files == [str(folder / "images" / f"{name}.jpg") for name in "ab"]
    assert source.skipped == {} and source.title is source.class_names is source.palette is None
    assert len(list(source.for_epoch(tf.constant(0, tf.int64), tf.constant(1, tf.int64)))) == 1


def test_a_published_dataset_knows_its_names(folder):
    source = source_of(datasets.landscapes(folder))
    assert source.title.startswith("Flickr Landscapes") and source.palette is None
    assert source.num_classes == len(source.class_names) == 182
    assert source.class_names[168] == "tree"


def test_the_call_is_that_of_the_user_with_all_its_arguments(folder):
    call = source_of(datasets.landscapes(folder, batch_size=2, flip=True)).call
    assert call.function is datasets.landscapes
    assert dict(call.arguments) == {
        "directory": folder,
        "image_size": (256, 256),
        "batch_size": 2,
        "void_class": True,
        "flip": True,
    }


def test_scenes_may_be_gone_through_once(folder):
    (folder / "images").rename(folder / "training")
    (folder / "images").mkdir()
    (folder / "training").rename(folder / "images" / "training")
    (folder / "annotations").mkdir()
    (folder / "labels").rename(folder / "annotations" / "training")
    (folder / "sceneCategories.txt").write_text("a coast\nb kitchen\n")
    data = datasets.ade20k_outdoor(folder, scenes=iter(["coast"]))
    assert len(data) == 1 and source_of(data).call.arguments["scenes"] == ["coast"]


def test_what_is_not_known_is_none():
    source = source_of(synthetic_scenes(2, image_size=(32, 32), batch_size=1))
    assert source.samples is source.num_classes is source.void_class is source.image_files is None
    source = source_of(by_epoch(lambda epoch, first: tf.data.Dataset.range(3).skip(first), 3))
    assert source.call is None and source.num_batches == 3


@pytest.mark.parametrize("data", [None, {}, tf.data.Dataset.range(2), np.zeros(2)])
def test_other_data_have_no_source(data):
    assert source_or_none(data) is None
    with pytest.raises(ValueError, match=r"unchanged result of a function of keras_spade\.data"):
        source_of(data)


def test_a_transformation_has_no_source_and_the_message_says_what_to_do():
    data = synthetic_scenes(2, image_size=(32, 32), batch_size=1).take(1)
    with pytest.raises(ValueError, match=r"\.take and other .* inside the for_epoch of by_epoch"):
        source_of(data)


def test_wrong_arguments_are_named_as_python_names_them(folder):
    with pytest.raises(TypeError, match=r"paired_folders\(\) got an unexpected keyword argument"):
        paired_folders(folder, 5, (8, 8), flips=True)
    with pytest.raises(TypeError, match=r"camvid\(\) missing 1 required positional argument"):
        datasets.camvid()
