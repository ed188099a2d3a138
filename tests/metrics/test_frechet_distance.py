import json

import keras
import numpy as np
import pytest
from scipy import linalg
from support.backends import compiled, only_on

from keras_spade.metrics import FrechetDistance


def by_scipy(real, fake):
    """The formula itself, in float64."""
    first, second = (np.cov(x.astype("float64"), rowvar=False) for x in (real, fake))
    shift = real.astype("float64").mean(axis=0) - fake.astype("float64").mean(axis=0)
    root = linalg.sqrtm(first @ second).real
    return shift @ shift + np.trace(first + second - 2 * root)


def by_singular_values(real, fake):
    """The same from the data, because the root of a singular product is inexact."""
    real, fake = real.astype("float64"), fake.astype("float64")
    first, second = ((x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (real, fake))
    shift = real.mean(axis=0) - fake.mean(axis=0)
    common = linalg.svdvals(first @ second.T).sum()
    return shift @ shift + np.sum(first**2) + np.sum(second**2) - 2 * common


def vectors(samples, dimensions, seed, offset=0.0):
    """Correlated vectors with very different variances."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(samples, dimensions)) @ rng.normal(size=(dimensions, dimensions))
    return (mixed * np.logspace(0, -2, dimensions) + offset).astype("float32")


def as_they_are(vectors):
    return vectors


def distance(real, fake, *splits):
    metric = FrechetDistance(as_they_are)
    for first, second in zip(np.split(real, splits), np.split(fake, splits), strict=True):
        metric.update_state(first, second)
    return float(keras.ops.convert_to_numpy(metric.result()))


@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize(("samples", "dimensions"), [(60, 12), (13, 12), (12, 40), (2, 6)])
def test_distance_is_that_of_scipy_in_any_split(samples, dimensions, offset):
    real = vectors(samples, dimensions, 0, offset)
    fake = vectors(samples, dimensions, 1, offset) * np.float32(1.1)
    want = by_singular_values(real, fake)
    if samples > dimensions:
        assert by_scipy(real, fake) == pytest.approx(want, rel=1e-6)
    for splits in ((), (1,), (samples // 2,), range(1, samples)):
        assert distance(real, fake, *splits) == pytest.approx(want, rel=1e-6)


def test_sets_may_be_of_different_numbers():
    real, fake = vectors(30, 8, 0), vectors(11, 8, 1)
    assert distance(real, fake) == pytest.approx(by_scipy(real, fake), rel=1e-6)


def test_a_set_is_no_distance_from_itself_and_reset_forgets():
    real = vectors(9, 20, 0)
    metric = FrechetDistance(as_they_are)
    assert np.isnan(float(metric.result()))
    metric.update_state(real[:1], real[:1])
    assert np.isnan(float(metric.result()))
    metric.update_state(real[1:], real[1:])
    assert 0 <= float(metric.result()) < 1e-12 * np.var(real)
    metric.reset_state()
    assert np.isnan(float(metric.result()))
    assert float(metric(real, real + 2)) == pytest.approx(4 * 20, rel=1e-6)


def test_what_is_not_finite_is_no_number():
    real = vectors(4, 3, 0)
    fake = real.copy()
    fake[1, 1] = np.inf
    with np.errstate(invalid="ignore"):
        assert np.isnan(distance(real, fake))


@only_on("tensorflow", "its graphs")
def test_it_runs_in_a_graph():
    real, fake = vectors(20, 6, 0), vectors(20, 6, 1)
    metric = FrechetDistance(lambda x: keras.ops.convert_to_tensor(x))
    update, result = compiled(metric.update_state), compiled(lambda: metric.result())
    for i in (0, 10):
        update(real[i : i + 10], fake[i : i + 10])
    for _ in range(2):
        assert float(result()) == pytest.approx(by_scipy(real, fake), rel=1e-6)


def test_half_precision_features_are_widened():
    real, fake = vectors(20, 6, 0), vectors(20, 6, 1)
    metric = FrechetDistance(lambda x: keras.ops.cast(x, "bfloat16"))
    metric.update_state(real, fake)
    rounded = [
        keras.ops.convert_to_numpy(keras.ops.cast(keras.ops.cast(x, "bfloat16"), "float32"))
        for x in (real, fake)
    ]
    assert float(metric.result()) == pytest.approx(by_scipy(*rounded), rel=1e-6)


@keras.saving.register_keras_serializable(package="tests")
def mean_colour(images):
    return np.mean(images, axis=(1, 2), dtype="float32")


def test_config_holds_the_features_and_no_weights():
    metric = FrechetDistance(mean_colour, name="colours")
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    twin = keras.saving.deserialize_keras_object(config)
    assert type(twin) is FrechetDistance and twin.name == "colours"
    assert twin.features is mean_colour
    assert twin.protocol() == {
        "features": "mean_colour",
        "is_not": "the FID of the literature, unless the features are those of its Inception-v3",
    }
    inputs = keras.Input((4, 4, 3))
    network = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    with pytest.raises(ValueError, match="`features` is a Keras model: a config would lose"):
        FrechetDistance(network).get_config()
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3)).astype("uint8")
    one, other = FrechetDistance(network), FrechetDistance(mean_colour)
    for each in (one, other):
        each.update_state(images, images[::-1] // 2)
    assert float(one.result()) == pytest.approx(float(other.result()), rel=1e-4)


@pytest.mark.parametrize("shape", [(4,), (4, 3, 1), (3, 3), (4, 5)])
def test_features_of_other_shapes_are_refused(shape):
    images, returned = np.zeros((4, 8, 8, 3), "uint8"), [(4, 3), (4, 3), shape]
    metric = FrechetDistance(lambda images: np.zeros(returned.pop(0), "float32"))
    metric.update_state(images, images)
    with pytest.raises(ValueError, match=r"`features` must return \(4, 3\) for images of shape"):
        metric.update_state(images, images)


def test_missing_images_are_named():
    metric, images = FrechetDistance(mean_colour), np.zeros((4, 8, 8, 3), "uint8")
    with pytest.raises(ValueError, match="`fake` must be an array or tensor, got None"):
        metric.update_state(images, None)
    with pytest.raises(ValueError, match="`real` must be an array or tensor, got None"):
        metric.update_state(None, images)


def test_features_that_are_no_function_are_refused():
    with pytest.raises(ValueError, match="`features` must be a function of uint8 images"):
        FrechetDistance("inception")
