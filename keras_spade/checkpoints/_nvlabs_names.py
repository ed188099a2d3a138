"""The names of the reference implementation's weights, and the matching variables of ours."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_spade.layers import SpectralNorm
from keras_spade.networks import MultiScaleDiscriminator, SPADEGenerator, StyleEncoder


@dataclass(frozen=True)
class Entry:
    """One weight: our variable, and its axes in PyTorch's order.

    The variable, reshaped to `split` and transposed by `axes`, is PyTorch's array, reshaped to
    `shape`.
    """

    variable: Any
    split: tuple
    axes: tuple
    shape: tuple

    def to_torch(self, array: np.ndarray) -> np.ndarray:
        """Our array in PyTorch's layout."""
        return np.reshape(np.transpose(np.reshape(array, self.split), self.axes), self.shape)

    def to_keras(self, array: np.ndarray) -> np.ndarray:
        """PyTorch's array in our layout."""
        split = tuple(self.split[axis] for axis in self.axes)
        array = np.transpose(np.reshape(array, split), np.argsort(self.axes))
        return np.reshape(array, self.variable.shape)


def nvlabs_entries(network: keras.Model) -> dict[str, Entry]:
    """Maps the reference implementation's names to the variables of a network.

    Args:
        network: a `SPADEGenerator`, `MultiScaleDiscriminator` or `StyleEncoder`.

    Returns:
        A dict of name -> `Entry`.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(network, SPADEGenerator):
        return _generator(network)
    if isinstance(network, MultiScaleDiscriminator):
        if network.fusion != "concat" or network.norm == "spade":
            raise ValueError(
                "`network`: the reference implementation has no discriminator with "
                f"fusion={network.fusion!r}, norm={network.norm!r}."
            )
        return _discriminator(network)
    if isinstance(network, StyleEncoder):
        return _encoder(network)
    raise ValueError(
        "`network` must be a SPADEGenerator, MultiScaleDiscriminator or StyleEncoder, got "
        f"{type(network).__name__}."
    )


def _generator(network):
    fc = network.get_layer("fc")
    if network.latent_dim is None:
        entries = _conv("fc", fc)
    else:
        # PyTorch's dense layer writes (channels, height, width), ours (height, width, channels).
        _, height, width, channels = network.get_layer("head_0").input[0].shape
        grid, size = (height, width, channels), height * width * channels
        entries = {
            "fc.weight": Entry(
                fc.kernel,
                (network.latent_dim, *grid),
                (3, 1, 2, 0),
                (size, network.latent_dim),
            ),
            "fc.bias": Entry(fc.bias, grid, (2, 0, 1), (size,)),
        }
    blocks = {"head_0": "head_0", "middle_0": "G_middle_0", "middle_1": "G_middle_1"}
    blocks |= {f"up_{i}": f"up_{i}" for i in range(5 if network.upsampling == "most" else 4)}
    for ours, theirs in blocks.items():
        block = network.get_layer(ours)
        for part in ("0", "1", "s") if block.learned_shortcut else ("0", "1"):
            entries |= _conv(f"{theirs}.conv_{part}", getattr(block, f"conv_{part}"))
            entries |= _spade(f"{theirs}.norm_{part}", getattr(block, f"norm_{part}"))
    return entries | _conv("conv_img", network.get_layer("conv_img"))


def _discriminator(network):
    entries = {}
    last = network.num_layers
    for scale in range(network.num_scales):
        for index in range(last + 1):
            conv = network.get_layer(f"scale_{scale}_conv_{index}")
            prefix = f"discriminator_{scale}.model{index}"
            if index in (0, last):
                entries |= _conv(f"{prefix}.0", conv)
            else:
                norm = network.get_layer(f"scale_{scale}_norm_{index}")
                entries |= _conv(f"{prefix}.0.0", conv) | _norm(f"{prefix}.0.1", norm)
    return entries


def _encoder(network):
    entries = {}
    index = 0
    while f"conv_{index}" in {layer.name for layer in network.layers}:
        conv, norm = network.get_layer(f"conv_{index}"), network.get_layer(f"norm_{index}")
        entries |= _conv(f"layer{index + 1}.0", conv) | _norm(f"layer{index + 1}.1", norm)
        index += 1
    # PyTorch flattens (channels, height, width), Keras (height, width, channels).
    _, height, width, channels = norm.output.shape
    for ours, theirs in (("mean", "fc_mu"), ("log_variance", "fc_var")):
        dense = network.get_layer(ours)
        entries[f"{theirs}.weight"] = Entry(
            dense.kernel,
            (height, width, channels, network.latent_dim),
            (3, 2, 0, 1),
            (network.latent_dim, height * width * channels),
        )
        entries[f"{theirs}.bias"] = _vector(dense.bias)
    return entries


def _spade(prefix, spade):
    entries = _norm(f"{prefix}.param_free_norm", spade.feature_norm)
    entries |= _conv(f"{prefix}.mlp_shared.0", spade.shared)
    entries |= _conv(f"{prefix}.mlp_gamma", spade.gamma)
    return entries | _conv(f"{prefix}.mlp_beta", spade.beta)


def _norm(prefix, norm):
    entries = {}
    if norm.affine:
        entries |= {f"{prefix}.weight": _vector(norm.gamma), f"{prefix}.bias": _vector(norm.beta)}
    if norm.norm != "instance":
        entries[f"{prefix}.running_mean"] = _vector(norm.moving_mean)
        entries[f"{prefix}.running_var"] = _vector(norm.moving_variance)
    return entries


def _conv(prefix, layer):
    entries = {}
    spectral = isinstance(layer, SpectralNorm)
    kernel = layer.kernel
    height, width, inputs, outputs = kernel.shape
    entries[f"{prefix}.weight_orig" if spectral else f"{prefix}.weight"] = Entry(
        kernel, tuple(kernel.shape), (3, 2, 0, 1), (outputs, inputs, height, width)
    )
    if spectral:
        entries[f"{prefix}.weight_u"] = _vector(layer.u)
        entries[f"{prefix}.weight_v"] = Entry(
            layer.v, (height, width, inputs), (2, 0, 1), tuple(layer.v.shape)
        )
        layer = layer.layer
    if layer.use_bias:
        entries[f"{prefix}.bias"] = _vector(layer.bias)
    return entries


def _vector(variable):
    shape = tuple(variable.shape)
    return Entry(variable, shape, (0,), shape)
