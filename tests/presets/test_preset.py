"""Loading presets: the models that `from_preset` builds, and invalid presets."""

import json
import shutil
import sys
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest
from support.tiny_gan import tiny_batch, tiny_gan
from support.tiny_generator import TinyGenerator

from keras_spade import ClassInfo, GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder
from keras_spade.presets import PRESETS

SHAPE = (32, 32, 3)
LABELS = tiny_batch()["labels"]


@pytest.fixture(scope="module")
def styled():
    """A GAN with an encoder and known classes."""
    plain = tiny_gan()
    encoder = StyleEncoder(SHAPE, 2, base_filters=1, resize_to=(96, 96))
    gan = GauGAN(plain.generator, plain.discriminator, encoder, seed=5, name="painter")
    rng = np.random.default_rng(0)  # Weights that no new model has.
    for weight in gan.trainable_weights:
        weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
    gan.classes = ClassInfo(("a", "b", "c"), [(0, 0, 0), (1, 1, 1), (2, 2, 2)])
    return gan


@pytest.fixture(scope="module")
def preset(styled, tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "painter"
    styled.save_to_preset(folder)
    return folder


@pytest.fixture
def copied(preset, tmp_path):
    return shutil.copytree(preset, tmp_path / "copied")


def arrays(network):
    return [keras.ops.convert_to_numpy(weight) for weight in network.weights]


def equal(one, other):
    return all(map(np.array_equal, arrays(one), arrays(other)))


def test_a_gan_comes_back(styled, preset):
    gan = GauGAN.from_preset(preset)
    assert (gan.name, gan.seed, gan.classes) == ("painter", 5, styled.classes)
    assert equal(gan.generator, styled.generator) and equal(gan.encoder, styled.encoder)
    assert gan.discriminator.get_config() == styled.discriminator.get_config()
    assert not equal(gan.discriminator, styled.discriminator)  # Untrained.
    assert not gan.compiled
    photograph = tiny_batch()["image"]
    for arguments in ({}, {"style_image": photograph}):
        want = styled.generate(LABELS, seed=1, **arguments)
        assert np.array_equal(gan.generate(LABELS, seed=1, **arguments), want)


def test_its_generator_alone(styled, preset):
    generator = TinyGenerator.from_preset(preset)
    assert type(generator) is TinyGenerator and equal(generator, styled.generator)
    assert generator.classes == styled.classes


def test_without_weights(styled, preset):
    generator = TinyGenerator.from_preset(str(preset), load_weights=False)
    assert generator.get_config() == styled.generator.get_config()
    assert not equal(generator, styled.generator)


def test_arguments_in_the_place_of_the_presets(preset):
    generator = TinyGenerator.from_preset(preset, dtype="mixed_bfloat16", name="other")
    assert (generator.dtype_policy.name, generator.name) == ("mixed_bfloat16", "other")
    gan = GauGAN.from_preset(preset, load_weights=False, num_classes=7, seed=1)
    assert (gan.generator.num_classes, gan.discriminator.num_classes, gan.seed) == (7, 7, 1)
    assert gan.classes is None  # They belonged to other classes.


def test_a_folder_that_keras_has_written(styled, tmp_path):
    styled.save(tmp_path / "keras", zipped=False)
    gan = GauGAN.from_preset(tmp_path / "keras")
    assert all(map(equal, (gan,), (styled,))) and gan.classes == styled.classes


def test_keras_reads_the_folder_of_a_generator(styled, tmp_path):
    styled.generator.save_to_preset(tmp_path / "generator")
    generator = keras.saving.load_model(tmp_path / "generator")
    assert equal(generator, styled.generator) and generator.classes == styled.classes


def test_a_gan_around_a_generator_alone(styled, tmp_path):
    styled.generator.save_to_preset(tmp_path / "generator")
    gan = GauGAN.from_preset(tmp_path / "generator", seed=2)
    assert equal(gan.generator, styled.generator) and gan.encoder is None and gan.seed == 2
    assert isinstance(gan.discriminator, MultiScaleDiscriminator)


def test_classes_can_be_edited(copied):
    (copied / "classes.json").write_text('{"names": ["x", "y", "z"]}')
    assert TinyGenerator.from_preset(copied).classes == ClassInfo(("x", "y", "z"))


def test_names_and_folders_that_are_not_there(tmp_path):
    for name in ("scene", tmp_path / "none", "runs/gan.keras"):
        with pytest.raises(ValueError, match="neither the name of a preset nor a folder") as caught:
            SPADEGenerator.from_preset(name)
        assert all(preset in str(caught.value) for preset in PRESETS)
    assert "keras.saving.load_model reads it" in str(caught.value)
    with pytest.raises(ValueError, match="is not a preset: it has no config.json"):
        SPADEGenerator.from_preset(tmp_path)


def test_other_classes_are_refused(preset, copied):
    with pytest.raises(ValueError, match="TinyGenerator', not a SPADEGenerator. Call Tiny"):
        SPADEGenerator.from_preset(preset)
    with pytest.raises(ValueError, match="holds a 'tests>TinyGenerator', not a StyleEncoder"):
        config = json.loads((copied / "config.json").read_text())
        config["config"]["encoder"] = config["config"]["generator"]
        (copied / "config.json").write_text(json.dumps(config))
        GauGAN.from_preset(copied)


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": {}, "registered_name": "system"},
        {"module": "keras", "class_name": "Sequential", "config": {}, "registered_name": None},
        {"module": "x", "class_name": "X", "config": {}, "registered_name": ["keras_spade>GauGAN"]},
    ],
)
def test_foreign_classes_are_refused(copied, config):
    (copied / "config.json").write_text(json.dumps(config))
    for kind in (SPADEGenerator, GauGAN):
        with pytest.raises(ValueError, match="not a (SPADEGenerator|Generator|GauGAN)"):
            kind.from_preset(copied)


def test_foreign_objects_within_are_refused(copied):
    config = json.loads((copied / "config.json").read_text())
    foreign = {"module": "os", "class_name": "system", "config": {"command": "true"}}
    config["config"]["generator"]["config"]["dtype"] = foreign
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="os.system, which is neither part of Keras nor regist"):
        TinyGenerator.from_preset(copied)


@pytest.mark.parametrize(
    "file, text, message",
    [
        ("config.json", "{", "config.json cannot be read"),
        ("config.json", "[]", "must hold a JSON object, got list"),
        ("config.json", "{}", "is not the config of a model"),
        ("config.json", '{"config": {"generator": {}}}', "the config of .* has no generator"),
        ("classes.json", '{"names": "abc"}', "classes.json: `names` must be"),
        ("classes.json", '{"names": ["a"]}', "names of 1 classes, but the generator has 3"),
        ("classes.json", '{"label_mapping": {"palette": []}}', "palette must not be"),
        ("model.weights.h5", "no HDF5", "model.weights.h5 cannot be read"),
        ("model.weights.h5", None, "model.weights.h5 cannot be read"),
    ],
)
def test_damaged_files_are_named(copied, file, text, message):
    if text is None:
        (copied / file).unlink()
    else:
        (copied / file).write_text(text)
    with pytest.raises(ValueError, match=message):
        TinyGenerator.from_preset(copied)


def test_an_encoder_that_is_none(copied):
    config = json.loads((copied / "config.json").read_text())
    config["config"]["encoder"] = ["keras_spade>StyleEncoder"]
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="the config of .* has no encoder"):
        GauGAN.from_preset(copied)


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras, before its error
def test_weights_of_another_size_or_of_nothing_are_refused(copied):
    with pytest.raises(ValueError, match="does not fit the generator"):
        TinyGenerator.from_preset(copied, latent_dim=3)
    with pytest.raises(ValueError, match="is not a valid TinyGenerator: .*'widths'"):
        TinyGenerator.from_preset(copied, widths=3)
    with h5py.File(copied / "model.weights.h5", "a") as file:
        del file["encoder"]
    with pytest.raises(ValueError, match="does not fit the encoder: it holds no weights for it"):
        GauGAN.from_preset(copied)


def test_an_address_is_read_by_the_library_of_keras(preset, styled, monkeypatch):
    asked = []

    def snapshot_download(repository, **arguments):
        asked.append((repository, sorted(arguments["allow_patterns"])))
        return str(preset)

    hub = SimpleNamespace(snapshot_download=snapshot_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert equal(GauGAN.from_preset("hf://user/painter").generator, styled.generator)
    files = ["classes.json", "config.json", "metadata.json", "model.weights.h5"]
    assert asked == [("user/painter", files)]
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match="pip install huggingface_hub"):
        GauGAN.from_preset("hf://user/painter")
    with pytest.raises(ValueError, match="Keras reads hf://.*download the folder first"):
        GauGAN.from_preset("kaggle://user/painter")
