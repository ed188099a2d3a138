import zipfile

import numpy as np
import pytest
from support.painting import SIZE, painting_model
from support.tiny_gan import SHAPE, tiny_gan

from keras_spade import ClassInfo
from keras_spade.painting.load_painting_model import load_painting_model


def test_presets_and_files(tmp_path):
    model, labels = painting_model(encoder=False), np.random.default_rng(0).integers(0, 4, SIZE)
    model.generator.classes = ClassInfo(("a", "b", "c"), [(1, 2, 3), (4, 5, 6), (7, 8, 9)])
    want = model.paint(labels, [1, -1])
    model.generator.save_to_preset(tmp_path / "street")
    model.generator.save(tmp_path / "street.keras")
    for loaded in (
        load_painting_model(preset=tmp_path / "street"),
        load_painting_model(model=tmp_path / "street.keras"),
        load_painting_model(preset=tmp_path / "street.keras"),
    ):
        np.testing.assert_array_equal(loaded.paint(labels, [1, -1]), want)
        assert loaded.title == "street" and loaded.encoder is None
        assert loaded.class_names == ["a", "b", "c", "don't care"]
        assert loaded.colors.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [150, 150, 150]]


def test_a_gan_paints_as_it_generates(tmp_path):
    gan, labels = tiny_gan(), np.random.default_rng(0).integers(0, 3, SHAPE[:2])
    gan.save(tmp_path / "gan.keras")
    latent = np.array([[1, -1]], "float32")
    want = gan.generate(labels[None], latent=latent)[0].astype(int)
    got = load_painting_model(model=tmp_path / "gan.keras").paint(labels, latent[0])
    assert np.abs(got - want).max() <= 1


def test_a_file_of_something_else(tmp_path):
    tiny_gan().discriminator.save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match="a.keras holds a MultiScaleDiscriminator, not a GauGAN"):
        load_painting_model(model=tmp_path / "a.keras")


def test_painting_in_16_bits(tmp_path):
    model, labels = painting_model(encoder=False), np.random.default_rng(0).integers(0, 4, SIZE)
    model.generator.save(tmp_path / "street.keras")
    loaded = load_painting_model(tmp_path / "street.keras", precision="mixed_bfloat16")
    assert loaded.generator.compute_dtype == "bfloat16"
    assert {weight.dtype for weight in loaded.generator.weights} == {"float32"}
    got, want = loaded.paint(labels, [1, -1]).astype(int), model.paint(labels, [1, -1])
    # A bfloat16 has 8 significant bits, a picture 256 values.
    assert 0 < np.abs(got - want).mean() < 2


@pytest.mark.parametrize(("name", "text"), [("a.txt", "{}"), ("config.json", "[]")])
def test_an_archive_that_is_no_model(tmp_path, name, text):
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as file:
        file.writestr(name, text)
    with pytest.raises(ValueError, match="a.keras cannot be read as a .keras file: "):
        load_painting_model(model=tmp_path / "a.keras")
