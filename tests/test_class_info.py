"""Class information of a model, and that it is kept."""

import copy
import json

import keras
import numpy as np
import pytest
from support.tiny_gan import tiny_gan

from keras_spade import ClassInfo, callbacks
from keras_spade.datasets import LabelMapping

NAMES = ("sky", "sea", "sand")
PALETTE = ((135, 190, 235), (45, 105, 185), (240, 220, 180))
MAPPINGS = {
    "counted from 1": LabelMapping(offset=-1, void_labels=0),
    "remapped": LabelMapping(remap={0: 0, 7: 1, np.int64(8): 2}, void_labels=(-1, 255)),
    "colours": LabelMapping(palette=[(1, 2, 3), (4, 5, 6), (7, 8, 9)], void_labels=None),
    "array of colours": LabelMapping(palette=np.array(PALETTE), void_labels=[]),
    "colours with numbers": LabelMapping(palette={(1, 2, 3): 0, (4, 5, 6): 2, (0, 0, 0): 255}),
    "grey": LabelMapping(palette="grey", void_labels={9}),
}
FILES = {"colours": [(1, 2, 3), (4, 5, 6)], "array of colours": PALETTE}
FILES["colours with numbers"] = [(4, 5, 6), (0, 0, 0)]


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_label_mapping_comes_back_from_json(name):
    info = ClassInfo(NAMES, PALETTE, MAPPINGS[name])
    again = ClassInfo.from_json(json.loads(json.dumps(info.to_json())))
    assert again == info and (again.names, again.palette) == (NAMES, PALETTE)
    mapping = LabelMapping(**again.label_mapping)
    file = np.array([FILES[name]], "uint8") if name in FILES else np.array([[8, 7, 7]])
    if name == "counted from 1":
        file = np.array([[0, 1, 3]])
    assert np.array_equal(mapping(file), MAPPINGS[name](file))
    assert sorted(mapping.void_labels) == sorted(MAPPINGS[name].void_labels)


def test_what_it_is_made_of():
    info = ClassInfo(["a", "b"], np.array([(0, 0, 0), (255, 1, 2)], "uint8"))
    assert (info.names, info.palette) == (("a", "b"), ((0, 0, 0), (255, 1, 2)))
    assert info.to_json() == {"names": ["a", "b"], "palette": [[0, 0, 0], [255, 1, 2]]}
    assert ClassInfo().to_json() == {} and ClassInfo.from_json(None) is None


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"names": "sky"}, "`names` must be a sequence of strings, one per class, got 'sky'"),
        ({"names": [1, 2]}, "`names` must be a sequence of strings"),
        ({"names": ()}, "`names` must be"),
        ({"names": {"sky", "sea"}}, "`names` must be a sequence"),  # Without an order.
        ({"palette": [(0, 0, 256)]}, "integers in 0..255, got"),
        ({"palette": [(0, 0)]}, "must be a sequence of .r, g, b."),
        ({"palette": [(0.5, 0, 0)]}, "must be a sequence of .r, g, b."),
        ({"names": NAMES, "palette": PALETTE[:2]}, "each of the 3 `names`, got 2 colours"),
        ({"label_mapping": {"shift": 1}}, "its arguments palette, remap, offset, void_labels"),
        ({"label_mapping": {"remap": {"x": 0}}}, "`label_mapping`: remap must not be"),
        ({"label_mapping": {"void_labels": 0.5}}, "`label_mapping`: void_labels must not be 0.5"),
        ({"label_mapping": 3}, "must be a LabelMapping, or a dict"),
        ({"label_mapping": {"remap": [1, 2]}}, "remap must not be .1, 2."),
        ({"label_mapping": {"palette": []}}, "palette must not be"),
        ({"label_mapping": {"palette": "gray"}}, "palette must not be 'gray'"),
        ({"label_mapping": {"offset": "1"}}, "offset must not be '1'"),
    ],
)
def test_what_does_not_fit_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClassInfo(**arguments)
    if "label_mapping" not in arguments:
        with pytest.raises(ValueError, match=message):
            ClassInfo.from_json(arguments)


def test_json_of_something_else_is_refused():
    with pytest.raises(ValueError, match="some of names, palette, label_mapping, got"):
        ClassInfo.from_json({"name": ["a"]})


@pytest.fixture(scope="module")
def knowing():
    optimizer = keras.optimizers.Adam(1e-3, use_ema=True)
    gan = tiny_gan(generator_optimizer=optimizer)
    gan.classes = ClassInfo(NAMES, PALETTE, MAPPINGS["counted from 1"])
    return gan


def test_models_keep_it(knowing, tmp_path):
    want = knowing.classes
    assert knowing.generator.classes is want
    knowing.save(tmp_path / "gan.keras")
    knowing.generator.save(tmp_path / "generator.keras")
    copies = {
        "file": keras.models.load_model(tmp_path / "gan.keras"),
        "file of the generator": keras.models.load_model(tmp_path / "generator.keras"),
        "averages": knowing.averaged(),
        "copy": copy.deepcopy(knowing),
        "folded": knowing.generator.fold_spectral_norm(),
        "in JSON": type(knowing.generator).from_config(
            json.loads(json.dumps(knowing.generator.get_config()))
        ),
    }
    assert {name: copy.classes for name, copy in copies.items()} == dict.fromkeys(copies, want)
    with knowing.painting_averages():
        assert knowing.classes is want


def test_backups_keep_it(knowing, tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path)
    backup.place, backup.first_epoch = (0, 0), 0
    backup.set_params({"steps": 1})
    backup.set_model(knowing)
    knowing.history = keras.callbacks.History()
    knowing.history.history, knowing.history.epoch = {}, []
    backup._save((1, 0))
    optimizer = keras.optimizers.Adam(1e-3, use_ema=True)
    fresh = tiny_gan(generator_optimizer=optimizer)
    callbacks.BackupAndRestore(tmp_path).restore(fresh)
    assert fresh.classes == knowing.classes
    fresh.classes = replaced = ClassInfo(("a", "b", "c"))
    callbacks.BackupAndRestore(tmp_path).restore(fresh)
    assert fresh.classes is replaced


def test_a_model_without_it_is_as_before():
    gan = tiny_gan()
    assert gan.classes is None and "classes" not in gan.generator.get_config()


def test_other_numbers_of_classes_are_refused(knowing):
    with pytest.raises(ValueError, match="names of 2 classes, but the generator has 3"):
        knowing.classes = ClassInfo(("a", "b"))
    with pytest.raises(ValueError, match="palette of 4 classes"):
        knowing.generator.classes = ClassInfo(palette=[(0, 0, 0)] * 4)
    with pytest.raises(ValueError, match="must be a ClassInfo or None, got .'a'"):
        knowing.classes = ("a", "b", "c")
