"""Loading the painter's model from a file or a preset."""

import os
from pathlib import Path

from keras_spade.networks import Generator, StyleEncoder
from keras_spade.painting.in_precision import in_precision
from keras_spade.painting.load_gan import load_gan
from keras_spade.painting.painting_model import PaintingModel
from keras_spade.presets import find_preset


def load_painting_model(
    model: str | os.PathLike | None = None,
    preset: str | os.PathLike | None = None,
    precision: str = "float32",
) -> PaintingModel:
    """Loads the painter's model.

    Args:
        model: a `.keras` file of a `GauGAN` or a generator; or a preset.
        preset: a preset's name, folder or address, or such a file; `"scenes"` if neither is given.
        precision: as in `in_precision`.

    Returns:
        A `PaintingModel`.

    Raises:
        ValueError: if there is no such file or preset, or it is of another kind.
    """
    name = str(model or preset or "scenes")
    if not name.endswith(".keras"):
        found = find_preset(name)
        generator = found.network("generator", Generator, load_weights=True)
        encoder = None
        if found.has("encoder"):
            encoder = found.network("encoder", StyleEncoder, load_weights=True)
        return PaintingModel(in_precision(generator, precision), encoder, title=Path(name).name)
    if not Path(name).exists():
        raise ValueError(f"--model={name}: no such file.")
    gan, _ = load_gan(name)
    generator = getattr(gan, "generator", gan)
    if not isinstance(generator, Generator):
        raise ValueError(f"--model={name} holds a {type(gan).__name__}, not a GauGAN.")
    encoder = getattr(gan, "encoder", None)
    return PaintingModel(in_precision(generator, precision), encoder, title=Path(name).stem)
