"""Loading a model from a file for painting, with the averages of its weights."""

import json
import os
import zipfile

import keras

from keras_spade.gan import Gan


def load_gan(path: str | os.PathLike) -> tuple[keras.Model, str]:
    """Loads a model from a `.keras` file, and reports which weights it has.

    Args:
        path: of the file, written by `GauGAN.save` or `examples/train.py`.

    Returns:
        A `GauGAN` (or whatever model the file holds) with the averages of the weights, if the
        generator's optimizer kept any; and `"averages"` or `"as in the file"`.

    Raises:
        ValueError: if it is not such a file.

    Example:

    ```python
    gan, weights = keras_spade.painting.load_gan("runs/street/gan.keras")
    ```
    """
    # The rest of `compile` is skipped: its losses may need files.
    averages = _keeps_averages(path)
    gan = keras.models.load_model(path, compile=averages)
    is_swapped = isinstance(gan, Gan) and gan.is_swapped
    if averages and not is_swapped:
        gan = gan.averaged()
    return gan, "averages" if averages or is_swapped else "as in the file"


def _keeps_averages(path):
    """Whether the optimizer of the generator in a `.keras` file keeps averages."""
    if not zipfile.is_zipfile(path):  # Keras reports the problem.
        return False
    try:
        with zipfile.ZipFile(path) as file:
            config = json.loads(file.read("config.json")).get("compile_config") or {}
        optimizer = config.get("generator_optimizer") or {}
        return bool(optimizer.get("config", {}).get("use_ema"))
    except (AttributeError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read as a .keras file: {error}") from error
