"""Every baseline trains, saves, folds and exports like `SPADEGenerator`."""

import functools

import keras
import numpy as np
import pytest
from support.tiny_gan import SHAPE, tiny_batch, tiny_gan

from examples.paper.networks import CRN, ConcatDecoder, Pix2Pix, Pix2PixHD, Pix2PixHDPlus

SMALL_HD = {"base_filters": 2, "downsamplings": 2, "blocks": 1}
SMALL = {
    "concat_decoder": (ConcatDecoder, {"base_filters": 1}),
    "crn": (CRN, {"base_filters": 4}),
    "pix2pix": (Pix2Pix, {"base_filters": 2}),
    "pix2pixhd": (Pix2PixHD, SMALL_HD | {"enhancer": True}),
    "pix2pixhd_plus": (Pix2PixHDPlus, SMALL_HD),
    "pix2pixhd_plus_spade": (
        Pix2PixHDPlus,
        SMALL_HD | {"concat": False, "norm": "spade", "hidden_filters": 2, "initial_gain": 1.0},
    ),
}


def small(name, **options):
    network, arguments = SMALL[name]
    return network(**{"num_classes": 3, "image_shape": SHAPE, **arguments, **options})


@functools.cache
def with_all_maps(name, modulation):
    """Every baseline with void and edges, built once."""
    return small(name, void_class=True, instance_edges=True, modulation=modulation)


def paint(network, labels, **others):
    return np.array(network({"labels": labels.astype("int32"), **others}))


@pytest.mark.parametrize("name", SMALL)
def test_trains_saves_and_paints(name, tmp_path):
    gan = tiny_gan(generator=lambda latent_dim, **common: small(name, **common))
    before = [np.array(weight) for weight in gan.generator.trainable_weights]
    losses = gan.train_on_batch(tiny_batch(), return_dict=True)
    assert np.all(np.isfinite(list(losses.values())))
    moved = [
        np.any(np.array(weight) != old)
        for weight, old in zip(gan.generator.trainable_weights, before, strict=True)
    ]
    # A bias in front of an instance norm has no gradient except rounding.
    paths = [weight.path for weight in gan.generator.trainable_weights]
    assert all(m for m, path in zip(moved, paths, strict=True) if not path.endswith("bias")), paths
    labels = tiny_batch()["labels"]
    want = paint(gan.generator, labels)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert loaded.generator.get_config() == gan.generator.get_config()
    np.testing.assert_array_equal(paint(loaded.generator, labels), want)
    folded = gan.generator.fold_spectral_norm()
    np.testing.assert_allclose(paint(folded, labels), want, rtol=1e-4, atol=1e-5)
    pictures = gan.generate(labels)
    assert pictures.shape == (2, *SHAPE) and np.ptp(pictures[0]) > 0


@pytest.mark.parametrize("name", SMALL)
def test_void_edges_and_the_label_map_count(name):
    network = with_all_maps(name, "dense")
    labels = tiny_batch(1)["labels"]
    edges = np.zeros(labels.shape, "float32")
    plain = paint(network, labels, edges=edges)
    other = edges.copy()
    other[:, ::3, ::2] = 1
    assert np.any(paint(network, labels, edges=other) != plain)
    assert np.any(paint(network, np.where(labels == 0, 3, labels), edges=edges) != plain)


@pytest.mark.parametrize("name", SMALL)
def test_patterns_give_what_dense_convolutions_give(name):
    labels = tiny_batch()["labels"]
    labels = np.where(labels == 0, 3, labels)
    edges = np.zeros(labels.shape, "float32")
    edges[:, ::3, ::2] = 1
    dense, patterns = (with_all_maps(name, way) for way in ("dense", "patterns"))
    patterns.set_weights(dense.get_weights())
    want = paint(dense, labels, edges=edges)
    np.testing.assert_allclose(paint(patterns, labels, edges=edges), want, atol=1e-5)


def test_half_precision_gives_float32_images():
    network = small("pix2pixhd_plus", dtype="mixed_float16")
    image = network({"labels": np.zeros((1, *SHAPE[:2]), "int32")})
    assert keras.backend.standardize_dtype(image.dtype) == "float32"
    assert network.get_layer("block_0_conv_0").layer.compute_dtype == "float16"


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_saved_model_paints_the_same(name, tmp_path):
    import tensorflow as tf

    network = small(name, modulation="dense")
    network.export(tmp_path / "saved", verbose=False)
    labels = tiny_batch()["labels"].astype("int32")
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    served = loaded.serve({"labels": labels})
    want = np.clip(np.round((paint(network, labels) + 1) * 127.5), 0, 255)
    assert np.abs(np.array(served["image"]).astype(int) - want).max() <= 1


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pix2pixhd", {"image_shape": (36, 32, 3)}, "divisible by 8, got 36 x 32"),
        ("pix2pix", {"image_shape": (34, 32, 3)}, "divisible by 4, got 34 x 32"),
        ("concat_decoder", {"image_shape": (48, 32, 3)}, "divisible by 32, got 48 x 32"),
        ("crn", {"image_shape": (33, 32, 3)}, "divisible by 2, got 33 x 32"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        small(name, **options)
