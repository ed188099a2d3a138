"""`from_preset` and `save_to_preset` of a `GauGAN`."""

import os

from keras_spade.models.gan_networks import SHARED
from keras_spade.models.painting_averages import writes_averages
from keras_spade.networks import Generator, MultiScaleDiscriminator, StyleEncoder
from keras_spade.presets import find_preset, save_preset

GAN_ARGUMENTS = ("seed", "name", "trainable")


def from_preset(cls, preset: str | os.PathLike, load_weights: bool = True, **kwargs):
    """Builds a model from a preset: its generator, its encoder if it has one, a discriminator.

    If the preset lacks the weights of the discriminator, that starts untrained, with the preset's
    size, or with the generator's width if the preset contains only a generator. The
    model is not compiled.

    Args:
        preset: a name in `presets`; a folder written by `save_to_preset` or
            `save(folder, zipped=False)`; or `"hf://user/repository"` of such a folder, which needs
            the library `huggingface_hub`. (If a folder has the same name as a preset, pass
            `"./name"`.)
        load_weights: `False`: random weights. Architectures have no trained weights.
        **kwargs: arguments of the constructor; and the arguments that the networks share,
            `num_classes`, `image_shape`, `void_class`, `instance_edges`, `conditioning` and
            `dtype`, which override the preset's.

    Returns:
        A `GauGAN`.

    Raises:
        ValueError: if there is no such preset, it is of another kind, it cannot be read, or has
            no weights but `load_weights` is True.
        ImportError: for an `hf://` address, naming the library to install.

    Example:

    >>> from keras_spade import GauGAN
    >>> gan = GauGAN.from_preset("facades_128_tiny", load_weights=False, num_classes=5)
    >>> gan.generator.num_classes, gan.generator.image_shape
    (5, (128, 128, 3))
    """
    found = find_preset(preset, load_weights)
    kind = found.class_of(found.config, cls) if found.is_gan else cls
    changes = {name: kwargs.pop(name) for name in (*SHARED, "dtype") if name in kwargs}
    generator = found.network("generator", Generator, load_weights, **changes)
    if found.has("discriminator"):
        discriminator = found.network(
            "discriminator", MultiScaleDiscriminator, load_weights, **changes
        )
    else:
        discriminator = MultiScaleDiscriminator(
            **{name: getattr(generator, name) for name in SHARED},
            base_filters=getattr(generator, "base_filters", 64),
            dtype=generator.dtype_policy,
        )
    encoder = None
    if found.has("encoder"):
        changes = {k: v for k, v in changes.items() if k in ("image_shape", "dtype")}
        encoder = found.network("encoder", StyleEncoder, load_weights, **changes)
    given = {k: v for k, v in found.config["config"].items() if k in GAN_ARGUMENTS}
    given = given if found.is_gan else {}
    return kind(generator, discriminator, encoder, **{**given, **kwargs})


def save_to_preset(
    self,
    preset_dir: str | os.PathLike,
    dtype: str | None = None,
    discriminator: bool = False,
    averaged: bool | str = "auto",
) -> None:
    """Writes a folder from which `from_preset` rebuilds the model.

    It holds `config.json`, `model.weights.h5` of generator and encoder, `classes.json` if `classes`
    are known, and `metadata.json`. It does not contain optimizers: to resume training, use `save`
    or backups. With several workers, all must call it; the first one writes.

    Args:
        preset_dir: a new or empty folder, or a preset, which is replaced after a complete write.
        dtype: `None`: weights are stored unchanged. `"float16"`: kernels are stored in 16 bits,
            which halves the file, except those that would lose more than rounding; biases, moving
            statistics and vectors of spectral norms are stored unchanged. Loaded weights have the
            dtype of the model.
        discriminator: whether to store its weights, for further training; painting does not need
            them.
        averaged: whether to write the averages of the weights, as in `averaged()`;
            `"auto"`: if the generator's optimizer keeps any.

    Raises:
        ValueError: naming the invalid argument; if the folder holds other files.
        OSError: if it cannot be written; existing content is unchanged.
    """
    model = self.averaged() if writes_averages(self, averaged) else self
    if not self.writes_files:
        return
    names = ("generator", "encoder", *(["discriminator"] if discriminator else []))
    parts = {name: getattr(model, name) for name in names if getattr(model, name) is not None}
    save_preset(preset_dir, model, parts, self.classes, dtype)
