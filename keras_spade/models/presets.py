"""`from_preset` and `save_to_preset` of a `GauGAN`."""

import os
from typing import TYPE_CHECKING, Any

from keras_spade.models.averages import with_weights_for_files
from keras_spade.models.gan_networks import SHARED
from keras_spade.networks import Generator, MultiScaleDiscriminator, StyleEncoder
from keras_spade.presets import find_preset, save_preset

if TYPE_CHECKING:
    from keras_spade.models.gaugan import GauGAN


GAN_ARGUMENTS = ("seed", "name", "trainable")


def gan_from_preset(
    kind: type, preset: str | os.PathLike, load_weights: bool, **kwargs: Any
) -> "GauGAN":
    """Does what `GauGAN.from_preset` describes.

    Args:
        kind: `GauGAN`, or a class derived from it.
        preset: as there.
        load_weights: as there.
        **kwargs: as there.
    """
    found = find_preset(preset, load_weights)
    if found.is_gan:
        kind = found.class_of(found.config, kind)
    of_networks = (*SHARED, "initial_gain", "dtype")
    changes = {name: kwargs.pop(name) for name in of_networks if name in kwargs}
    generator = found.network("generator", Generator, load_weights, **changes)
    if found.has("discriminator"):
        discriminator = found.network(
            "discriminator", MultiScaleDiscriminator, load_weights, **changes
        )
    else:
        discriminator = MultiScaleDiscriminator(
            **{name: getattr(generator, name) for name in SHARED},
            base_filters=getattr(generator, "base_filters", 64),
            initial_gain=getattr(generator, "initial_gain", 0.02),
            dtype=generator.dtype_policy,
        )
    encoder = None
    if found.has("encoder"):
        changes = {k: v for k, v in changes.items() if k not in SHARED or k == "image_shape"}
        encoder = found.network("encoder", StyleEncoder, load_weights, **changes)
    given = {k: v for k, v in found.config["config"].items() if k in GAN_ARGUMENTS}
    given = given if found.is_gan else {}
    return kind(generator, discriminator, encoder, **{**given, **kwargs})


def save_gan_to_preset(
    gan: "GauGAN",
    preset_dir: str | os.PathLike,
    dtype: str | None,
    discriminator: bool,
    averaged: bool | str,
) -> None:
    """Does what `GauGAN.save_to_preset` describes."""
    model = with_weights_for_files(gan, averaged)
    if not gan.writes_files:
        return
    names = ("generator", "encoder", *(["discriminator"] if discriminator else []))
    parts = {name: getattr(model, name) for name in names if getattr(model, name) is not None}
    save_preset(preset_dir, model, parts, gan.classes, dtype)
