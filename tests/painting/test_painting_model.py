import keras
import numpy as np
import pytest
from PIL import Image
from support.painting import SIZE, huge_png, painting_model, png
from support.tiny_gan import SHAPE
from support.tiny_generator import TinyGenerator

from keras_spade.painting import PaintingModel


@pytest.fixture(scope="module")
def model():
    return painting_model()


def test_regions_of_a_class_are_the_instances(model):
    labels = np.full(SIZE, 3)
    labels[8:24, 16:40] = 1
    edges = np.zeros(SIZE, "float32")
    edges[7:25, 15:41] = 1
    edges[9:23, 17:39] = 0
    edges[[7, 7, -40, -40], [15, 40, 15, 40]] = 0  # Diagonals do not count.
    assert edges[24, [15, 40]].sum() == 0
    latent = np.array([0.5, -1], "float32")
    inputs = {"labels": labels[None].astype("int32"), "edges": edges[None], "latent": latent[None]}
    floats = keras.ops.convert_to_numpy(model.generator(inputs, training=False))[0]
    want = np.clip(np.rint((floats.astype("float64") + 1) * 127.5), 0, 255)
    got = model.paint(labels, latent)
    assert got.dtype == np.uint8 and got.shape == (*SIZE, 3) and got.std() > 20
    assert np.abs(got - want).max() <= 1


@pytest.mark.parametrize(
    ("labels", "latent", "message"),
    [
        (np.zeros((64, 64), int), [0, 0], r"shape \(64, 96\), got \(64, 64\)"),
        (np.full(SIZE, 4), [0, 0], r"ids 0\.\.3; found .*: 4, 4\."),
        (np.full(SIZE, -1), [0, 0], r"ids 0\.\.3; found .*: -1, -1\."),
        (np.zeros(SIZE, int), [0, 0, 0], "`latent` must be 2 finite numbers"),
        (np.zeros(SIZE, int), [0, np.nan], "`latent` must be 2 finite numbers"),
        (np.zeros(SIZE, int), None, "`latent` must be 2 finite numbers"),
    ],
)
def test_maps_and_latents_that_do_not_fit(model, labels, latent, message):
    with pytest.raises(ValueError, match=message):
        model.paint(labels, latent)


def test_the_style_of_a_photograph_is_the_mean(model):
    pixels = np.random.default_rng(0).integers(0, 256, (72, 72, 3), "uint8")
    mean, _ = model.encoder(pixels[None] / np.float32(127.5) - 1)
    mean = keras.ops.convert_to_numpy(mean)[0]
    assert np.abs(mean).max() > 0.1
    np.testing.assert_allclose(model.style_of(png(pixels)), mean, atol=1e-5)
    other = Image.fromarray(pixels).convert("L").resize((500, 300))
    assert np.abs(model.style_of(png(other)) - mean).max() > 1e-3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the photograph: cannot be read as an image: [^<]*$"),
        (b"no image", "the photograph: cannot be read as an image: [^<]*$"),
        (
            png(np.zeros((9, 9, 3), "uint8"))[:-30],
            "the photograph: cannot be read as an image: [^<]*$",
        ),
        (huge_png(), "10000 x 10000 pixels, more than|exceeds limit"),
    ],
)
def test_photographs_that_are_none(model, content, message):
    with pytest.raises(ValueError, match=message):
        model.style_of(content)


def test_names_and_colours_where_the_model_knows_none(model):
    assert model.class_names == ["class 0", "class 1", "class 2", "don't care"]
    assert model.colors.tolist()[:2] == [[230, 69, 69], [69, 230, 116]]
    assert len(model.colors) == 4


def test_models_that_the_page_cannot_serve():
    dense = TinyGenerator(4, (32, 32, 3), conditioning="dense")
    with pytest.raises(ValueError, match="conditioning='dense' and takes float maps"):
        PaintingModel(dense)
    with pytest.raises(ValueError, match="images of 1 or 3 channels, but 'generator' paints 4"):
        PaintingModel(TinyGenerator(3, (32, 32, 4)))


def test_without_encoder_and_latent():
    model = PaintingModel(TinyGenerator(3, (*SHAPE[:2], 1), latent_dim=None))
    assert model.paint(np.zeros(SHAPE[:2], int)).shape == (*SHAPE[:2], 1)
    with pytest.raises(ValueError, match="The model has no encoder"):
        model.style_of(b"")
