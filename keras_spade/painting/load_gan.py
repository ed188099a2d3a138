"""The model in a file, for painting: with the averages of its weights."""

import json
import zipfile

import keras


def load_gan(path):
    """A model that was saved as a `.keras` file, and of which weights it is.

    Args:
        path: of the file; `GauGAN.save` or `examples/train.py` wrote it.

    Returns:
        A `GauGAN` (or what else the file holds) with the averages of the weights, if the
        generator's optimizer kept any; and `"averages"` or `"as in the file"`.

    Raises:
        ValueError: if it is no such file.

    Example:

    ```python
    gan, weights = keras_spade.painting.load_gan("runs/street/gan.keras")
    ```
    """
    # The rest of `compile` is left alone: its losses may ask for files.
    averages = _keeps_averages(path)
    gan = keras.models.load_model(path, compile=averages)
    is_swapped = getattr(gan, "is_swapped", False)
    if averages and not is_swapped:
        gan = gan.averaged()
    return gan, "averages" if averages or is_swapped else "as in the file"


def _keeps_averages(path):
    """Whether the optimizer of the generator in a `.keras` file keeps averages."""
    if not zipfile.is_zipfile(path):  # Keras tells what it is.
        return False
    try:
        with zipfile.ZipFile(path) as file:
            config = json.loads(file.read("config.json")).get("compile_config") or {}
        optimizer = config.get("generator_optimizer") or {}
        return bool(optimizer.get("config", {}).get("use_ema"))
    except (AttributeError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read as a .keras file: {error}") from error
