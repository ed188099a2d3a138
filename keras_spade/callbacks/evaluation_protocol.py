"""What the numbers of an evaluation depend on, in words."""

from collections.abc import Mapping
from typing import Any

from keras_spade.compiled_gan import CompiledGan
from keras_spade.datasets.source import source_or_none

PART = ("split", "subset", "validation_split", "style", "first_scene")


def data_protocol(data: Any) -> dict[str, str]:
    """The part of a dataset of this package, and how its files are resized; nothing for others."""
    source = source_or_none(data)
    if source is None or source.call is None:
        return {}
    arguments = source.call.arguments
    protocol = {"data": ", ".join([source.call.function.__name__, *_given(arguments, PART)])}
    if source.resampling is not None:
        protocol["resampling"] = source.resampling
    return protocol


def painting_protocol(model: CompiledGan, use_style: bool, seed: int) -> dict[str, str]:
    """Size, void, latent and weights with which pictures are painted."""
    generator = model.generator
    latent = "none"
    if generator.latent_dim is not None:
        latent = f"standard normal, seed {seed}"
    if use_style and model.encoder is not None:
        latent = f"of the style of each map's photograph, seed {seed}"
    return {
        "size": " x ".join(map(str, generator.image_shape)),
        "void": "painted as a class" if generator.void_class else "none",
        "latent": latent,
        "weights": "averages" if model.keeps_averages else "the model's own",
    }


def _given(arguments: Mapping, names):
    return [f"{name} {arguments[name]}" for name in names if arguments.get(name) is not None]
