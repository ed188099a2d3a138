"""Exporting from JAX and PyTorch, in a process that runs Keras on TensorFlow."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    from keras_spade.exporting.export import Export


def write_in_other_process(export: "Export", generator: keras.Model) -> None:
    """Writes an `Export` with TensorFlow, which reads the generator from a file.

    All formats are made from TensorFlow graphs. Keras' weights are the same on all backends, so
    the files are too. The process does not use the GPU, whose memory may be in use.

    Args:
        export: the `Export`.
        generator: a `Generator`.

    Raises:
        ValueError: for options that are not JSON.
        RuntimeError: with the message of the other process.
    """
    try:
        arguments = json.dumps(
            {
                "path": os.path.abspath(export.path),
                "format": export.format,
                "image_size": export.image_size,
                "options": export.options,
            }
        )
    except TypeError as error:
        raise ValueError(
            f"`export`: {error}; on JAX and PyTorch another process exports, and options must be "
            "JSON. For other options, load and export the model with KERAS_BACKEND=tensorflow."
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "generator.keras"
        generator.save(file)
        done = subprocess.run(
            [sys.executable, "-m", "keras_spade.exporting", file, arguments],
            env=os.environ
            | {
                "KERAS_BACKEND": "tensorflow",
                "CUDA_VISIBLE_DEVICES": "-1",
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "PYTHONPATH": os.pathsep.join(filter(None, map(os.path.abspath, sys.path))),
            },
            capture_output=True,
            text=True,
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise RuntimeError(f"`export`: TensorFlow's process failed: {lines[-1]}")
