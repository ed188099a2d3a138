"""Every entry point refuses images in a wrong range before anything changes."""

import numpy as np
import pytest
from support.backends import EAGERLY, compiled, only_on
from support.tiny_gan import SHAPE, state_of, tiny_batch, tiny_gan

from keras_spade import GauGAN, StyleEncoder
from keras_spade.backends import backend
from keras_spade.images import check_images

LABELS = tiny_batch()["labels"]


def images(dtype, low, high):
    """Two images whose smallest and largest value are `low` and `high`."""
    values = np.full((2, *SHAPE), low, dtype)
    values[1, 2, 3, 0] = high
    return values


def tuples(gan, batch, **arguments):
    return gan.train_on_batch(batch["labels"], batch["image"], **arguments)


WAYS = {
    "fit": lambda gan, batch: gan.fit(batch, batch_size=2, verbose=0),
    "evaluate": lambda gan, batch: gan.evaluate(batch, batch_size=2, verbose=0),
    "train_on_batch": lambda gan, batch: gan.train_on_batch(batch),
    "a tuple": tuples,
    "test_on_batch": lambda gan, batch: gan.test_on_batch(batch),
    "prepare_batch": lambda gan, batch: gan.prepare_batch(batch),
}
WRONG = {
    "Hounsfield": (images("int16", -1000, 2000), r"int\d+ .*: -1000, 2000 "),
    "sixteen bits": (images("uint16", 3, 65535), r"u?int\d+ .*: 3, 65535 "),
    "bytes as ints": (images("int32", 0, 255), r"int32 .*: 0, 255 "),
    "masks": (images("bool", False, True), r"bool .*: (0|False), (1|True) "),
    "floats of 0..255": (images("float32", 0, 255), r"float32 .*: 0(\.0)?, 255(\.0)? "),
    "standardised": (images("float32", -2.125, 1), r"float32 .*: -2\.125, 1(\.0)? "),
    "beside NaN": (images("float32", 255, np.nan), r"float32 .*: 0?(255)?(\.0)?, 255(\.0)? "),
}


@pytest.fixture(scope="module")
def gan():
    return tiny_gan()


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_ranges_are_refused_with_the_range(gan, kind):
    image, found = WRONG[kind]
    before = state_of(gan)
    with pytest.raises(
        ValueError, match=r"`image` must be floats in \[-1, 1\] or uint8, got " + found
    ):
        gan.train_on_batch({"labels": LABELS, "image": image})
    after = state_of(gan)
    assert all(np.array_equal(before[k], after[k]) for k in before)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_in_refuses(gan, way):
    for kind in ("Hounsfield", "floats of 0..255"):
        with pytest.raises(ValueError, match=r"scale them by `2 \* \(images - low\)"):
            WAYS[way](gan, {"labels": LABELS, "image": WRONG[kind][0]})


@only_on("tensorflow", "JAX looks before the compiled step, and PyTorch compiles none")
@pytest.mark.parametrize("kind", WRONG)
def test_a_compiled_step_refuses_with_the_range(gan, kind):
    image, found = WRONG[kind]
    step = compiled(lambda image: backend.check_image_range("image", image, {})[0])
    guarded = backend.guarded(gan, step, prepare=None)
    with pytest.raises(ValueError, match=found):
        guarded(image)


def test_a_hair_beyond_and_bytes_are_no_fault(gan):
    for image in (images("float32", -1.008, 1.0005), images("uint8", 0, 255)):
        losses = gan.test_on_batch({"labels": LABELS, "image": image}, return_dict=True)
        assert np.isfinite(list(losses.values())).all()


def test_what_bicubic_resizing_took_beyond_is_to_be_clipped():
    tensorflow = pytest.importorskip("tensorflow")
    black_and_white = (
        np.kron([[[0], [1]], [[1], [1]]], np.ones((9, 9, 3))).astype("float32") * 2 - 1
    )
    resized = tensorflow.image.resize(black_and_white[None], SHAPE[:2], "bicubic").numpy()
    assert 1.3 < np.abs(resized).max() < 1.35
    with pytest.raises(ValueError, match="clip values that resizing moved outside"):
        check_images("image", resized)
    check_images("image", resized.clip(-1, 1))


@pytest.fixture(scope="module")
def with_encoder(gan):
    encoder = StyleEncoder(SHAPE, latent_dim=2, base_filters=1, resize_to=(32, 96))
    both = GauGAN(gan.generator, gan.discriminator, encoder)
    both.compile(perceptual_loss=None, run_eagerly=EAGERLY)
    return both


def test_style_images_are_refused(with_encoder):
    for image in (WRONG["Hounsfield"][0], WRONG["floats of 0..255"][0]):
        with pytest.raises(ValueError, match="`style_image` must be floats"):
            with_encoder.generate(LABELS, style_image=image)
        with pytest.raises(ValueError, match="`style_image` must be floats"):
            with_encoder.predict({"labels": LABELS, "style_image": image}, verbose=0)
    with pytest.raises(ValueError, match="`style_image` holds values that are not finite"):
        with_encoder.generate(LABELS, style_image=images("float32", 0, np.nan))
    # The real image of a batch does not reach the generator.
    batch = {"labels": LABELS, "image": WRONG["Hounsfield"][0]}
    assert with_encoder.predict(batch, verbose=0).shape == (2, *SHAPE)


def test_style_of_bytes_is_that_of_the_floats(with_encoder):
    pixels = np.random.default_rng(0).integers(0, 256, (2, *SHAPE), "uint8")
    inputs = [pixels, (pixels / 127.5 - 1).astype("float32")]
    seed = with_encoder.seed_generator.state
    painted = []
    for style in inputs:
        seed.assign([1, 2])
        painted.append(with_encoder.predict({"labels": LABELS, "style_image": style}, verbose=0))
    np.testing.assert_allclose(*painted, atol=1e-5)


def test_check_images_of_arrays():
    check_images("image", np.array([], "int16"))
    check_images("image", np.array([np.nan, np.inf], "float32"))
    with pytest.raises(ValueError, match="`image` must be .* got float64 .*: -1.5, 0.0 "):
        check_images("image", np.array([-1.5, 0.0, np.nan]))
