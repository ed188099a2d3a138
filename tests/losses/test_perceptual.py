import hashlib
import json
import re

import h5py
import keras
import numpy as np
import pytest
from support.backends import differentiate, is_no_gradient, sixty_four_bits
from support.golden_files import channels_last, load_golden, relative_error
from support.harness import to_numpy

from keras_spade.losses import PerceptualLoss


@pytest.fixture(scope="module")
def golden():
    return load_golden("vgg_loss")


@pytest.fixture(scope="module")
def kernels(golden):
    """The random kernels of the golden file, in PyTorch's layout and in the network's order."""
    recipe = golden.meta["vgg_recipe"]
    rng, kernels = np.random.default_rng(recipe["seed"]), []
    for (inputs, outputs), sha in zip(
        recipe["in_out"], recipe["sha256_of_float32_C_order_bytes"], strict=True
    ):
        kernel = rng.standard_normal((outputs, inputs, 3, 3)) * np.sqrt(2 / (inputs * 9))
        kernels.append(kernel.astype("float32"))
        assert hashlib.sha256(kernels[-1].tobytes()).hexdigest() == sha
    return kernels


@pytest.fixture(scope="module")
def torchvision(golden, kernels):
    """The same, under torchvision's names."""
    weights = {}
    for index, kernel in zip(golden.meta["vgg_recipe"]["features_index"], kernels, strict=True):
        weights[f"features.{index}.weight"] = kernel
        weights[f"features.{index}.bias"] = np.zeros(len(kernel), "float32")
    return weights


@pytest.fixture(scope="module")
def loss(torchvision):
    return PerceptualLoss(weights=torchvision, preprocessing="none")


@pytest.fixture(scope="module")
def images(golden):
    return channels_last(golden["in/fake"]), channels_last(golden["in/real"])


@pytest.fixture(scope="module")
def vgg(golden, kernels):
    """Keras' VGG19 with the same kernels, found by the names of the paper's convolutions."""
    vgg = keras.applications.VGG19(include_top=False, weights=None)
    for name, kernel in zip(golden.meta["vgg_recipe"]["convs"], kernels, strict=True):
        block, conv = re.fullmatch(r"conv(\d)_(\d)", name).groups()
        layer = vgg.get_layer(f"block{block}_conv{conv}")
        layer.set_weights([np.transpose(kernel, (2, 3, 1, 0)), np.zeros(len(kernel))])
    return vgg


def twice(loss):
    """The loss, once to differentiate and once to inspect."""

    def function(fake, real):
        total = loss(fake, real)
        return total, total

    return function


# === Golden numbers ===


def test_taps_and_their_distances_are_the_references(loss, images, golden):
    fake, real = ([to_numpy(x) for x in loss.tap(x)] for x in images)
    shapes = [(x.shape[0], x.shape[3], x.shape[1], x.shape[2]) for x in fake]
    np.testing.assert_array_equal(shapes, golden["out/tap_shapes"])
    assert relative_error([np.mean(x) for x in fake], golden["out/tap_mean_fake"]) < 1e-5
    assert relative_error(fake[4], channels_last(golden["out/tap5_fake"])) < 1e-5
    distances = [np.mean(np.abs(f - r)) for f, r in zip(fake, real, strict=True)]
    assert relative_error(distances, golden["out/tap_l1"]) < 1e-5


def test_total_and_gradient_are_the_references_and_spare_the_real_side(loss, images, golden):
    total, (to_fake, to_real), _ = differentiate(twice(loss), images, [])
    assert relative_error(total, golden["out/total"]) < 1e-5
    weighted = golden.config["lambda_vgg"] * total
    assert relative_error(weighted, golden["out/total_times_lambda_vgg"]) < 1e-5
    assert is_no_gradient(to_real)
    to_fake = to_numpy(to_fake)
    want = channels_last(golden["out/grad_fake"])
    # A single |fake - real| or ReLU that rounds to the other side of zero affects the pixels
    # around it; the next test has no rounding.
    assert relative_error(to_fake, want) < 2e-3
    assert np.mean(np.abs(to_fake - want) > 1e-5 * np.max(np.abs(want))) < 0.1


@pytest.mark.slow_on("jax")
@sixty_four_bits()
def test_gradient_in_double_precision_is_the_references(torchvision, images, golden):
    keras.config.set_dtype_policy("float64")
    loss = PerceptualLoss(weights=torchvision, preprocessing="none")
    images = [x.astype("float64") for x in images]
    total, (gradient, _), _ = differentiate(twice(loss), images, [])
    assert relative_error(total, golden["out/total"]) < 1e-6
    assert relative_error(gradient, channels_last(golden["out/grad_fake"])) < 1e-5


def test_taps_are_weighed_as_in_the_paper(loss, images, golden):
    weights = golden.meta["tap_weights"]
    assert weights == [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0]
    want = np.dot(weights, golden["out/tap_l1"])
    assert relative_error(loss(*images), want) < 1e-5


def test_network_is_frozen(loss):
    assert loss.features.trainable_weights == []
    assert len(loss.features.weights) == 2 * 13


# === Preprocessing ===


def test_imagenet_preprocessing_is_the_published_one(loss, torchvision, images):
    small = images[0][:1, :32, :32]
    pixels = (small.astype("float64") + 1) * 255 / 2
    blue_green_red = pixels[..., ::-1] - [103.939, 116.779, 123.68]
    want = loss.tap(blue_green_red.astype("float32"))
    got = PerceptualLoss(weights=torchvision, preprocessing="imagenet").tap(small)
    for ours, theirs in zip(got, want, strict=True):
        assert relative_error(ours, theirs) < 1e-5


def test_preprocessing_belongs_to_the_weights_and_leaves_the_images_alone(
    torchvision, images, tmp_path, vgg
):
    image = np.zeros((1, 16, 16, 3), "float32")
    random = PerceptualLoss(weights=None)
    assert random.preprocessing == "imagenet"
    random.tap(image)
    np.testing.assert_array_equal(image, 0.0)
    vgg.save_weights(tmp_path / "x.weights.h5")
    assert PerceptualLoss(tmp_path / "x.weights.h5").preprocessing == "imagenet"
    default = PerceptualLoss(weights=torchvision)
    assert default.preprocessing == "torchvision"
    small = images[0][:1, :32, :32]
    # For torchvision.transforms.Normalize, from its documentation of VGG19_Weights.
    deviation = np.array([0.229, 0.224, 0.225])
    normalised = ((small.astype("float64") + 1) / 2 - [0.485, 0.456, 0.406]) / deviation
    raw = PerceptualLoss(weights=torchvision, preprocessing="none")
    for ours, theirs in zip(default.tap(small), raw.tap(normalised), strict=True):
        assert relative_error(ours, theirs) < 1e-5


def test_the_weight_for_the_paper_is_by_the_size_of_the_inputs(torchvision, images):
    losses = [PerceptualLoss(torchvision, preprocessing=p) for p in ("none", "imagenet")]
    assert [loss.paper_weight for loss in losses] == [10.0, 10.0 / 127.5]
    # Without biases, VGG is homogeneous except for the mean that is subtracted.
    fake, real = (x[:1, :32, :32] for x in images)
    weighted = [loss.paper_weight * float(loss(fake, real)) for loss in losses]
    assert weighted[0] == pytest.approx(weighted[1], rel=0.2)


# === Weights ===


@pytest.mark.parametrize("file", ["x.weights.h5", "x.keras"])
def test_local_keras_files_give_the_same_loss(file, vgg, images, golden, tmp_path):
    save = vgg.save_weights if file.endswith("h5") else vgg.save
    save(tmp_path / file)
    loss = PerceptualLoss(weights=str(tmp_path / file), preprocessing="none")
    assert relative_error(loss(*images), golden["out/total"]) < 1e-5


def test_the_published_kind_of_file_gives_the_same_loss(vgg, images, golden, tmp_path):
    # Keras' own vgg19_..._notop.h5: one group per layer, with the old names of weights.
    path = tmp_path / "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with h5py.File(path, "w") as file:
        names = [layer.name.encode() for layer in vgg.layers]
        file.attrs["layer_names"] = names
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"1.2.0"
        for layer in vgg.layers:
            group, arrays = file.create_group(layer.name), layer.get_weights()
            keys = [f"{layer.name}_{kind}_1:0" for kind in ("W", "b")][: len(arrays)]
            group.attrs["weight_names"] = [key.encode() for key in keys]
            for key, array in zip(keys, arrays, strict=True):
                group.create_dataset(key, data=array)
    loss = PerceptualLoss(weights=str(path), preprocessing="none")
    assert relative_error(loss(*images), golden["out/total"]) < 1e-5


def test_no_weights_are_random_ones():
    keras.utils.set_random_seed(1)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 16, 16, 3)).astype("float32")
    loss = PerceptualLoss(weights=None)
    assert float(loss(image, -image)) > 0.0
    assert float(loss(image, image)) == 0.0


def test_config_tells_the_file_and_not_arrays(loss, vgg, images, golden, tmp_path):
    path = str(tmp_path / "x.weights.h5")
    vgg.save_weights(path)
    original = PerceptualLoss(weights=path, preprocessing="none")
    assert original.get_config() == {"weights": path, "preprocessing": "none"}
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(original)))
    rebuilt = keras.saving.deserialize_keras_object(config)
    assert type(rebuilt) is PerceptualLoss
    assert rebuilt.get_config() == original.get_config()
    assert relative_error(rebuilt(*images), golden["out/total"]) < 1e-5
    with pytest.raises(ValueError, match="weights given as arrays cannot be saved.*a file"):
        loss.get_config()


def test_config_of_a_path_object_fits_in_json(vgg, tmp_path):
    vgg.save_weights(tmp_path / "x.weights.h5")
    loss = PerceptualLoss(weights=tmp_path / "x.weights.h5")
    assert json.loads(json.dumps(loss.get_config()))["weights"] == str(tmp_path / "x.weights.h5")


def test_half_precision_policies_do_not_reach_the_loss(torchvision, images, golden):
    keras.config.set_dtype_policy("mixed_float16")
    loss = PerceptualLoss(weights=torchvision, preprocessing="none")
    total, (gradient, _), _ = differentiate(twice(loss), images, [])
    assert relative_error(total, golden["out/total"]) < 1e-5
    assert relative_error(gradient, channels_last(golden["out/grad_fake"])) < 1e-2


# === Errors ===


def test_one_channel_is_repeated_and_other_numbers_are_refused(loss, images):
    grey = images[0][..., :1], images[1][..., :1]
    three = [np.repeat(image, 3, axis=-1) for image in grey]
    np.testing.assert_allclose(float(loss(*grey)), float(loss(*three)), rtol=1e-6)
    for channels in (2, 4):
        image = np.zeros((1, 16, 16, channels), "float32")
        with pytest.raises(ValueError, match=f"these have {channels}. .*perceptual_loss=None"):
            loss(image, image)


def test_unknown_preprocessing_is_refused():
    with pytest.raises(
        ValueError, match='`preprocessing` must be "imagenet" or "none", got \'torch\''
    ):
        PerceptualLoss(weights=None, preprocessing="torch")


@pytest.mark.parametrize("weights", [3, b"vgg.h5", ["vgg.h5"]])
def test_weights_of_other_types_are_refused(weights):
    wanted = '`weights` must be "imagenet", a path, a mapping of names to arrays, or None, got '
    with pytest.raises(ValueError, match=re.escape(f"{wanted}{weights!r}.")):
        PerceptualLoss(weights=weights)


def test_missing_file_is_named_with_the_ways_out(tmp_path):
    path = str(tmp_path / "nothing.h5")
    with pytest.raises(ValueError, match=f"no such file: {re.escape(repr(path))}") as error:
        PerceptualLoss(weights=path)
    assert "PerceptualLoss(weights=" in str(error.value)
    assert "compile(perceptual_loss=None)" in str(error.value)


@pytest.mark.parametrize("file", ["x.weights.h5", "x.h5", "x.keras", "x.npz"])
def test_files_of_something_else_are_named(file, tmp_path):
    path = tmp_path / file
    path.write_text("something else")
    wanted = f"`weights`: {str(path)!r} does not fit VGG19 without top"
    with pytest.raises(ValueError, match=re.escape(wanted)):
        PerceptualLoss(weights=path)


@pytest.mark.parametrize("file", ["x.weights.h5", "x.keras"])
def test_files_of_other_networks_are_named(file, tmp_path):
    path = tmp_path / file
    inputs = keras.Input((8, 8, 3))
    other = keras.Model(inputs, keras.layers.Conv2D(4, 3, name="block1_conv1")(inputs))
    (other.save_weights if file.endswith("h5") else other.save)(path)
    wanted = f"`weights`: {str(path)!r} does not fit VGG19 without top"
    with pytest.raises(ValueError, match=re.escape(wanted)):
        PerceptualLoss(weights=path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("features.28.bias", None),
        ("features.10.weight", None),
        ("features.0.weight", np.zeros((64, 4, 3, 3), "float32")),
        ("features.0.weight", np.zeros((64, 27), "float32")),
        ("features.0.bias", np.zeros(3, "float32")),
    ],
    ids=["no bias", "no weight", "channels", "rank", "bias"],
)
def test_errors_of_unsuitable_mappings_name_the_key(key, value, torchvision):
    weights = {**torchvision, key: value}
    if value is None:
        del weights[key]
    with pytest.raises(ValueError, match="`weights`: .*" + re.escape(key)):
        PerceptualLoss(weights=weights)


def test_the_error_without_network_lists_the_alternatives(monkeypatch):
    vgg19 = keras.applications.VGG19

    def offline(*args, weights="imagenet", **options):
        if weights == "imagenet":
            raise OSError("URL fetch failure")
        return vgg19(*args, weights=weights, **options)

    monkeypatch.setattr(keras.applications, "VGG19", offline)
    with pytest.raises(RuntimeError, match="URL fetch failure") as error:
        PerceptualLoss()
    assert "PerceptualLoss(weights=" in str(error.value)
    assert "compile(perceptual_loss=None)" in str(error.value)
    assert PerceptualLoss(weights=None).weights is None
