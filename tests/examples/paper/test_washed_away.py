import types

import keras
import numpy as np
import pytest
from absl.testing import flagsaver
from support.tiny_gan import tiny_gan

from examples.paper.networks import Pix2PixHD
from examples.paper.options import FLAGS
from examples.paper.washed_away import draw_kernels, explained_share, generators, shares
from keras_spade import SPADEGenerator


def test_share_is_the_variance_between_classes_over_that_of_all():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (2, 4, 5))
    x = rng.normal(size=(2, 4, 5, 6)) + 0.5 * labels[..., None] * np.arange(6)
    flat, ids = x.reshape(-1, 6), labels.ravel()
    between = sum(
        np.sum((flat[ids == k].mean(0) - flat.mean(0)) ** 2) * np.sum(ids == k) for k in range(3)
    )
    total = np.sum((flat - flat.mean(0)) ** 2)
    # The rest is within classes.
    within = sum(np.sum((flat[ids == k] - flat[ids == k].mean(0)) ** 2) for k in range(3))
    assert between + within == pytest.approx(total)
    assert explained_share(x, labels) == pytest.approx(between / total)


def test_share_of_what_labels_tell_fully_and_not_at_all():
    labels = np.array([[[0, 1], [4, 4]]])
    assert explained_share(np.eye(5)[labels], labels) == pytest.approx(1)
    checks = np.array([[[1.0, -1, 1, -1]]])[..., None]
    assert explained_share(checks, np.array([[[0, 0, 3, 3]]])) == 0
    assert explained_share(np.ones((1, 2, 2, 3)) + 1e-7 * np.eye(5)[labels][..., :3], labels) == 0


def test_instance_norm_leaves_nothing_of_a_map_of_one_label_and_spade_does():
    keras.utils.set_random_seed(1)
    labels = np.ones((3, 64, 64), "int32") * np.arange(3, dtype="int32")[:, None, None]
    common = {"image_shape": (64, 64, 3), "base_filters": 4, "modulation": "dense"}
    theirs = Pix2PixHD(3, downsamplings=2, blocks=1, **common)
    ours = SPADEGenerator(
        3, latent_dim=None, hidden_filters=4, norm="instance", spectral_norm=False, **common
    )
    for generator in (theirs, ours):
        draw_kernels(generator)
    found = shares(theirs, {"labels": labels})
    names = ["first_relu", "down_1_relu", "down_2_relu", "block_0_sum", "up_1_relu", "up_0_relu"]
    assert list(found) == [*names, "conv_img"]
    assert found["first_relu"] == 0  # After it, norms amplify rounding.
    found = shares(ours, {"labels": labels})
    assert list(found)[0] == "head_0" and list(found)[-1] == "conv_img" and len(found) == 8
    assert min(found.values()) > 0.01


def test_trained_generators_are_those_of_the_table(tmp_path):
    gan = tiny_gan()
    folder = tmp_path / "painted" / "ours_seed_0"
    folder.mkdir(parents=True)
    gan.save(folder / "gan.keras")
    samples = types.SimpleNamespace(conditioning={"num_classes": 3}, image_shape=(64, 64, 3))
    with flagsaver.flagsaver():
        FLAGS(["washed_away", "--base_filters=2", "--hidden_filters=2", "--modulation=dense"])
        found = generators(samples, tmp_path)
    assert list(found) == ["pix2pixHD", "ours", "ours, trained"]
    trained = found["ours, trained"].get_weights()
    for weight, kept in zip(trained, gan.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, kept)
