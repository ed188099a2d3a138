import json

import keras
import numpy as np
import pytest

from keras_spade.metrics import KernelDistance, kernel_distance


def vectors(samples, dimensions, seed):
    return np.random.default_rng(seed).normal(1, 2, (samples, dimensions)).astype("float32")


def distance(real, fake, *splits):
    metric = KernelDistance(lambda x: x)
    for first, second in zip(np.split(real, splits), np.split(fake, splits), strict=True):
        metric.update_state(first, second)
    return float(keras.ops.convert_to_numpy(metric.result()))


def by_pairs(real, fake):
    """The mean over pairs, computed one by one."""

    def mean(first, second, same):
        values = [
            (np.dot(x, y) / len(x) + 1) ** 3
            for i, x in enumerate(first)
            for j, y in enumerate(second)
            if not same or i != j
        ]
        return np.mean(values)

    real, fake = real.astype("float64"), fake.astype("float64")
    return mean(real, real, True) + mean(fake, fake, True) - 2 * mean(real, fake, False)


@pytest.mark.parametrize(("samples", "dimensions"), [(40, 8), (7, 30), (2, 3)])
def test_distance_is_that_of_scikit_learns_kernel_in_any_split(samples, dimensions, monkeypatch):
    pairwise = pytest.importorskip(
        "sklearn.metrics.pairwise", reason="scikit-learn, of the extra 'test', is not installed"
    )
    real, fake = vectors(samples, dimensions, 0), vectors(samples, dimensions, 1) * 1.2
    wide = real.astype("float64"), fake.astype("float64")
    options = {"degree": 3, "gamma": 1 / dimensions, "coef0": 1}
    want = -2 * pairwise.polynomial_kernel(*wide, **options).mean()
    for x in wide:
        kernel = pairwise.polynomial_kernel(x, x, **options)
        want += (kernel.sum() - np.trace(kernel)) / (samples * (samples - 1))
    for rows in (1024, 3):
        monkeypatch.setattr(kernel_distance, "ROWS", rows)
        for splits in ((), (1,), range(1, samples)):
            assert distance(real, fake, *splits) == pytest.approx(want, rel=1e-6)


def test_distance_is_the_mean_over_pairs_of_sets_of_different_numbers():
    real, fake = vectors(9, 5, 0), vectors(4, 5, 1)
    assert distance(real, fake) == pytest.approx(by_pairs(real, fake), rel=1e-6)


def test_it_is_unbiased():
    rng = np.random.default_rng(0)
    found = [distance(*rng.normal(size=(2, 6, 3)).astype("float32")) for _ in range(300)]
    error = np.std(found) / np.sqrt(len(found))
    assert min(found) < 0 and abs(np.mean(found)) < 3 * error
    assert error < 0.1  # With the pairs of an image and itself it would be 2.3 more.


def test_too_few_are_no_number_and_reset_forgets():
    real = vectors(3, 4, 0)
    metric = KernelDistance(lambda x: x)
    assert np.isnan(float(metric.result()))
    metric.update_state(real[:1], real[:1])
    assert np.isnan(float(metric.result()))
    metric.reset_state()
    metric.update_state(real, real + 1)
    assert float(metric.result()) == pytest.approx(by_pairs(real, real + 1), rel=1e-6)


@keras.saving.register_keras_serializable(package="tests")
def corner(images):
    return images[:, 0, 0].astype("float32")


def test_config():
    metric = KernelDistance(corner, name="corners")
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    twin = keras.saving.deserialize_keras_object(config)
    assert type(twin) is KernelDistance and (twin.name, twin.features) == ("corners", corner)
