"""What the scripts share that paint: the model of a file, with the averages of its weights."""

import json
import zipfile
from pathlib import Path

import keras

from keras_spade import GauGAN

MODEL = (
    "The model that train.py saved, gan.keras; or a preset: a name, a folder, hf://user/repository."
)


def painting_model(path):
    """A model that `train.py` has saved, or a preset, and of which weights it is.

    Returns:
        A `GauGAN` with the averages of the weights, if the generator's optimizer kept any; and
        `"averages"`, `"as in the file"` or `"of the preset"`.
    """
    if not str(path).endswith(".keras"):
        try:
            return GauGAN.from_preset(path), "of the preset"
        except ImportError as error:
            raise ValueError(f"--model={path}: {error}") from error
    if not Path(path).is_file():
        raise ValueError(f"--model={path}: no such file.")
    # The rest of `compile` is left alone: its losses may ask for files.
    averages = _keeps_averages(path)
    gan = keras.models.load_model(path, compile=averages)
    if averages and not gan.is_swapped:
        gan = gan.averaged()
    return gan, "averages" if averages or gan.is_swapped else "as in the file"


def _keeps_averages(path):
    """Whether the optimizer of the generator in a `.keras` file keeps averages."""
    if not zipfile.is_zipfile(path):  # Keras tells what it is.
        return False
    with zipfile.ZipFile(path) as file:
        config = json.loads(file.read("config.json")).get("compile_config") or {}
    optimizer = config.get("generator_optimizer") or {}
    return bool(optimizer.get("config", {}).get("use_ema"))
