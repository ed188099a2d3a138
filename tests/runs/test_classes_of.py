"""The classes that `fit` takes from a dataset."""

import numpy as np
import pytest
from PIL import Image
from support.tiny_gan import tiny_batch, tiny_gan

from keras_spade import ClassInfo, datasets
from keras_spade.runs import classes_of


@pytest.fixture
def street(tmp_path):
    """Four photographs, and label maps with three classes counted from 1."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for number in range(4):
        ids = np.kron(rng.integers(0, 4, (4, 4)), np.ones((8, 8))).astype("uint8")
        Image.fromarray(ids).save(tmp_path / f"labels/{number}.png")
        Image.fromarray(np.dstack([ids * 60] * 3)).save(tmp_path / f"images/{number}.jpg")
    return tmp_path


def folders(street, void_labels=0):
    mapping = datasets.LabelMapping(offset=-1, void_labels=void_labels)
    return datasets.paired_folders(
        street, 3, (32, 32), batch_size=2, label_mapping=mapping, void_class=True
    )


def test_drawn_scenes_tell_names_and_colours():
    scenes = datasets.synthetic_scenes(2, image_size=(32, 32), batch_size=2)
    classes = classes_of(scenes, 14)
    assert classes.names == datasets.SCENE_CLASSES and classes.label_mapping is None
    assert np.array_equal(classes.palette, datasets.SCENE_PALETTE)
    assert classes_of(scenes, 15) is None  # The names are of other classes.
    assert classes_of(scenes.take(1), 14) is classes_of(tiny_batch(), 3) is None


def test_folders_tell_how_label_files_are_read(street):
    classes = classes_of(folders(street), 3)
    assert classes == ClassInfo(label_mapping={"offset": -1, "void_labels": 0})


def test_published_sets_tell_all(street):
    for name in ("annotations", "images"):
        (street / "ade" / name / "training").mkdir(parents=True)
    for number in range(2):
        name = f"training/ADE_{number}"
        labels = Image.open(street / f"labels/{number}.png")
        labels.save(street / f"ade/annotations/{name}.png")
        Image.open(street / f"images/{number}.jpg").save(street / f"ade/images/{name}.jpg")
    data = datasets.ade20k(street / "ade", "train", image_size=(32, 32))
    classes = classes_of(data, 150)
    assert classes.names == datasets.NAMED_DATASETS["ade20k"].class_names
    assert classes.names[:2] == ("wall", "building") and classes.palette[0] == (120, 120, 120)
    assert classes.label_mapping == {"offset": -1, "void_labels": 0}


def test_records_tell_nothing_of_the_files_they_were_made_of(street, tmp_path):
    datasets.write_tfrecords(folders(street), tmp_path / "records")
    assert classes_of(datasets.tfrecords(tmp_path / "records", (32, 32)), 3) is None


def test_fit_takes_them_where_the_model_has_none(street):
    gan = tiny_gan(latent_dim=None, run_eagerly=True)
    data = datasets.paired_folders(
        street,
        3,
        (32, 32),
        batch_size=4,
        label_mapping=datasets.LabelMapping(remap={0: 0, 1: 0, 2: 1, 3: 2}),
    )
    gan.fit(data, verbose=0)
    want = ClassInfo(label_mapping={"remap": {0: 0, 1: 0, 2: 1, 3: 2}})
    assert gan.classes == gan.generator.classes == want
    gan.classes = replaced = ClassInfo(("a", "b", "c"))
    gan.fit(data, verbose=0)
    assert gan.classes is replaced
