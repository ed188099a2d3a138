import itertools
import json

import keras
import numpy as np
import pytest

from keras_spade.metrics import Diversity


@keras.saving.register_keras_serializable(package="tests")
def differences(first, second):
    return np.mean(np.abs(first.astype("float32") - second), axis=(1, 2, 3))


def pictures(maps, count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (maps, count, 4, 5, 3)).astype("uint8")


def test_it_is_the_mean_over_maps_and_pairs():
    images = pictures(5, 4)
    pairs = [
        np.mean(np.abs(of_map[i] - of_map[j]))
        for of_map in images.astype("float64")
        for i, j in itertools.combinations(range(4), 2)
    ]
    whole, parts = Diversity(differences), Diversity(differences)
    whole.update_state(images)
    for part in (images[:2], images[2:3], images[3], images[4]):  # The last two: one map each.
        parts.update_state(part)
    for metric in (whole, parts):
        assert float(metric.result()) == pytest.approx(np.mean(pairs), rel=1e-6)
    whole.reset_state()
    assert np.isnan(float(whole.result()))


def test_it_falls_as_pictures_come_nearer_to_one_another():
    images = pictures(2, 3)
    found = []
    for share in (1.0, 0.5, 0.1, 0.0):
        metric = Diversity(differences)
        mean = images.mean(axis=1, keepdims=True)
        metric.update_state(np.round(mean + share * (images - mean)).astype("uint8"))
        found.append(float(metric.result()))
    assert found == sorted(found, reverse=True) and found[-1] == 0.0 < found[-2]


def test_bad_arguments_are_named():
    for images in (pictures(2, 1), pictures(1, 1)[0], pictures(1, 2)[0, 0]):
        with pytest.raises(ValueError, match="`images` must hold at least two pictures per"):
            Diversity(differences).update_state(images)
    with pytest.raises(ValueError, match="`images` must be an array or tensor, got None"):
        Diversity(differences).update_state(None)
    with pytest.raises(ValueError, match=r"`distance` must return \(2,\) for two batches"):
        Diversity(lambda a, b: np.zeros((2, 1), "float32")).update_state(pictures(2, 2))
    with pytest.raises(ValueError, match="`distance` must be a function of two batches"):
        Diversity(None)


def test_config():
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(Diversity(differences))))
    twin = keras.saving.deserialize_keras_object(config)
    assert twin.distance is differences
    assert twin.protocol() == {
        "distance": "differences",
        "is_not": "the LPIPS of the literature, unless the distance is",
    }
