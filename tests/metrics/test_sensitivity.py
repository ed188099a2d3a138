"""Each metric worsens monotonically as pictures are blurred, noised, or paired with other maps.

With real photographs, VGG16 has random weights, unless the environment variable KERAS_SPADE_VGG16
names a file of them.
"""

import os
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image, ImageFilter

from keras_spade.datasets import SCENE_CLASSES, paired_folders, synthetic_scenes
from keras_spade.metrics import (
    Diversity,
    FrechetDistance,
    KernelDistance,
    PerceptualDistance,
    SegmentationConsistency,
    VGG16Features,
)

CAMVID = Path(__file__).resolve().parents[3] / "shared" / "data" / "camvid" / "val"
CAMVID_CLASSES = 11
WEIGHTS = os.environ.get("KERAS_SPADE_VGG16")
pytestmark = pytest.mark.once
SIZE = (48, 64)


def samples(dataset, count):
    """Label maps and photographs of bytes."""
    batch = next(iter(dataset.as_numpy_iterator()))
    images = np.round((batch["image"][:count] + 1) * 127.5).astype("uint8")
    return batch["labels"][:count], images


REAL = pytest.param("real", marks=pytest.mark.slow)


@pytest.fixture(scope="module", params=["scenes", REAL])
def data(request):
    """Label maps, photographs of them, and number of classes."""
    if request.param == "scenes":
        dataset = synthetic_scenes(32, image_size=SIZE, batch_size=32, shuffle=False)
        return *samples(dataset, 32), len(SCENE_CLASSES)
    if not CAMVID.is_dir():
        pytest.skip("CamVid's photographs lie in ../shared/data, which is not here")
    dataset = paired_folders(
        CAMVID, CAMVID_CLASSES, SIZE, void_label=11, void_class=True, batch_size=32, seed=0
    )
    return *samples(dataset, 32), CAMVID_CLASSES


def blurred(images, radius):
    return np.stack([Image.fromarray(x).filter(ImageFilter.GaussianBlur(radius)) for x in images])


def noised(images, deviation):
    noise = np.random.default_rng(0).normal(0, deviation, images.shape)
    return np.clip(np.round(images + noise), 0, 255).astype("uint8")


def shuffled(images, share):
    """The first samples in another order, in which none keeps its place."""
    count = round(share * len(images))
    return np.concatenate([np.roll(images[:count], count // 2, axis=0), images[count:]])


SPOILT = {
    "blurred": (blurred, (1, 2, 4)),
    "noised": (noised, (20, 40, 90)),
    "shuffled": (shuffled, (0.3, 0.6, 1.0)),
}


class SmallFeatures:
    """Means and deviations of two convolutions with random kernels."""

    def __init__(self):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Conv2D(12, 3, 2, activation="relu") for _ in range(2)]
        self.network = keras.Sequential([keras.Input((None, None, 3)), *layers])

    def __call__(self, images):
        maps = self.network(images.astype("float32") / 127.5 - 1)
        return ops.concatenate([ops.mean(maps, (1, 2)), ops.std(maps, (1, 2))], axis=1)


@pytest.fixture(scope="module")
def features(data):
    """Features for the pictures; random weights detect degraded ones too."""
    keras.utils.set_random_seed(0)
    _, _, num_classes = data
    return (
        VGG16Features(WEIGHTS, image_size=None)
        if num_classes == CAMVID_CLASSES
        else SmallFeatures()
    )


@pytest.mark.parametrize("how", ["blurred", "noised"])
def test_distances_grow(how, data, features):
    _, images, _ = data
    half = len(images) // 2
    spoil, degrees = SPOILT[how]
    real = features(images[:half])
    found = {FrechetDistance: [], KernelDistance: []}
    for pictures in (images, *(spoil(images, degree) for degree in degrees)):
        fake = features(pictures[half:])
        for metric, values in found.items():
            values.append(float(metric(lambda vectors: vectors)(real, fake)))
    for values in found.values():
        assert values == sorted(values) and values[-1] > 1.5 * max(values[0], 0), found


def segmenter_of(labels, images, num_classes):
    """A segmenter that roughly knows the class of each colour at each place, from its samples."""
    bins = (*[6] * 3, 6, 4)

    def cells(images):
        rows, columns = np.indices(images.shape[1:3]) * np.array(bins[3:])[:, None, None]
        places = (rows // SIZE[0], columns // SIZE[1])
        places = [np.broadcast_to(place, images.shape[:3]) for place in places]
        colours = np.moveaxis(images.astype("int64") * bins[0] // 256, -1, 0)
        return np.ravel_multi_index((*colours, *places), bins)

    votes = np.zeros((np.prod(bins), num_classes + 1), "float32")
    np.add.at(votes, (cells(images).ravel(), labels.ravel()), 1)
    return lambda images: votes[cells(images)][..., :num_classes]


@pytest.mark.parametrize("how", SPOILT)
def test_consistency_falls(how, data):
    labels, images, num_classes = data
    half = len(images) // 2
    segmenter = segmenter_of(labels[:half], images[:half], num_classes)
    labels, images = labels[half:], images[half:]
    spoil, degrees = SPOILT[how]
    found = []
    for pictures in (images, *(spoil(images, degree) for degree in degrees)):
        metric = SegmentationConsistency(segmenter, num_classes, void_class=True)
        metric.update_state(labels, pictures)
        found.append([float(value) for value in metric.result().values()])
    for values in zip(*found, strict=True):
        assert list(values) == sorted(values, reverse=True) and values[-1] < 0.95 * values[0]


def differences(first, second):
    return np.mean(np.abs(first.astype("float32") - second), axis=(1, 2, 3))


def test_diversity_falls_as_pictures_are_blurred(data):
    keras.utils.set_random_seed(0)
    _, images, num_classes = data
    distance = PerceptualDistance(WEIGHTS) if num_classes == CAMVID_CLASSES else differences
    found = []
    for pictures in (images, *(blurred(images, radius) for radius in (1, 2, 4))):
        metric = Diversity(distance)
        metric.update_state(pictures[:6].reshape(2, 3, *SIZE, 3))
        found.append(float(metric.result()))
    assert found == sorted(found, reverse=True) and found[-1] < 0.8 * found[0], found
