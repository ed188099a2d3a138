"""LiteRT (TensorFlow Lite): a file for phones, with built-in operations only."""

import os
import tempfile
from pathlib import Path

from keras_spade.exporting import saved_model
from keras_spade.exporting.painter import Painter

SUFFIX = ".tflite"
NEEDS = ("tensorflow",)
INSTALL = "pip install tensorflow"


def check(options: dict) -> None:
    """Raises for options that are not attributes of the converter."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter([], None)
    unknown = {name for name in options if callable(getattr(converter, name, callable))}
    if unknown:
        raise ValueError(
            "`export`: format='litert' takes attributes of `tf.lite.TFLiteConverter`, "
            f"such as `optimizations`, not {sorted(unknown)}."
        )


def changes(options: dict) -> dict:
    """Changes to the exported generator: no 64-bit shifts, no 16-bit floats."""
    return {"modulation": "dense", "dtype": "float32"}


def write(painter: Painter, path: str | os.PathLike, options: dict) -> None:
    """Writes the file, with one signature."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        saved_model.write(painter, folder, {})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        for name, value in options.items():
            setattr(converter, name, value)
        Path(path).write_bytes(converter.convert())
