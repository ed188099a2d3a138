import json
import re

import keras
import numpy as np
import pytest
from PIL import Image
from support.golden_files import relative_error
from support.harness import to_numpy

from keras_spade.metrics import (
    Diversity,
    FrechetDistance,
    KernelDistance,
    PerceptualDistance,
    VGG16Features,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Random weights, with biases that matter."""
    keras.utils.set_random_seed(0)
    vgg = keras.applications.VGG16(include_top=False, weights=None)
    path = str(tmp_path_factory.mktemp("vgg16") / "vgg16.weights.h5")
    vgg.save_weights(path)
    return path


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return np.stack(
        [
            Image.fromarray(rng.integers(0, 256, (6, 8, 3)).astype("uint8")).resize((64, 48))
            for _ in range(2)
        ]
    )


def of_keras(file, images, taps):
    vgg = keras.applications.VGG16(include_top=False, weights=None)
    vgg.load_weights(file)
    model = keras.Model(vgg.input, [vgg.get_layer(tap).output for tap in taps])
    inputs = keras.applications.vgg16.preprocess_input(images.astype("float32"))
    return [to_numpy(x) for x in keras.tree.flatten(model(inputs, training=False))]


def test_features_are_the_means_of_keras_last_convolution(file, images):
    (want,) = of_keras(file, images, ["block5_conv3"])
    features = VGG16Features(file, image_size=None)
    assert relative_error(features(images), want.mean(axis=(1, 2))) < 1e-5
    resized = [np.asarray(Image.fromarray(x).resize((32, 32), Image.BICUBIC)) for x in images]
    (want,) = of_keras(file, np.stack(resized), ["block5_conv3"])
    features = VGG16Features(file, image_size=[32, 32])
    assert relative_error(features(images), want.mean(axis=(1, 2))) < 2e-2  # Bytes, rounded.
    assert features.get_config() == {"weights": file, "image_size": (32, 32)}
    metric = FrechetDistance(features)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    twin = keras.saving.deserialize_keras_object(config)
    assert relative_error(twin.features(images), to_numpy(features(images))) < 1e-6
    assert VGG16Features(file).image_size == (224, 224)


def test_distance_is_that_of_unit_features(file, images):
    first, second = images[:1], images[1:]
    taps = [f"block{i}_conv{n}" for i, n in enumerate((2, 2, 3, 3, 3), 1)]
    want = 0.0
    for one, other in zip(*(of_keras(file, x, taps) for x in (first, second)), strict=True):
        one, other = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (one, other))
        want += np.mean(np.sum((one - other) ** 2, axis=-1))
    distance = PerceptualDistance(file)
    got = distance(images, images[::-1])
    assert relative_error(got, [want, want]) < 1e-4
    np.testing.assert_array_equal(to_numpy(distance(images, images)), 0.0)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(distance)))
    assert keras.saving.deserialize_keras_object(config).weights == file


def test_they_say_in_words_what_they_are_and_are_not(file):
    features = VGG16Features(file)
    assert FrechetDistance(features).protocol() == {
        "features": "VGG16 relu5_3, means over the image, 512; weights: vgg16.weights.h5; "
        "pictures bicubic, antialiased, to 224 x 224",
        "is_not": "the FID of the literature, which uses Inception-v3",
    }
    assert KernelDistance(features).protocol()["is_not"] == (
        "the KID of the literature, which uses Inception-v3"
    )
    assert VGG16Features(None, None).description.endswith("; weights: random; pictures unresized")
    assert Diversity(PerceptualDistance(file)).protocol() == {
        "distance": "LPIPS' formula on VGG16 without its learned weights; weights: "
        "vgg16.weights.h5",
        "is_not": "the LPIPS of the literature",
    }


def test_images_of_other_types_are_refused(file):
    features = VGG16Features(file)
    wanted = "`images` must be uint8 of shape (batch, H, W, channels), got float32 of shape"
    with pytest.raises(ValueError, match=re.escape(wanted)):
        features(np.zeros((1, 8, 8, 3), "float32"))
    wanted = "takes images of three channels, or one, repeated; these have 4. Pass the metric a"
    four, three = (np.zeros((1, 32, 32, channels), "uint8") for channels in (4, 3))
    with pytest.raises(ValueError, match=f"^`images`: VGG16 {wanted}"):
        features(four)
    with pytest.raises(ValueError, match=f"^`second`: VGG16 {wanted}"):
        PerceptualDistance(file)(three, four)
    with pytest.raises(ValueError, match="`images` must be an array or tensor, got None"):
        features(None)
    with pytest.raises(ValueError, match="`image_size` must be two integers or None, got 64"):
        VGG16Features(file, image_size=64)
    with pytest.raises(ValueError, match="weights given as arrays cannot be saved"):
        features.network.weights = {}
        features.get_config()
