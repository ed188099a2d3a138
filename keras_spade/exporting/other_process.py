"""Exporting from JAX and PyTorch: by a process that runs Keras on TensorFlow."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def write_in_other_process(export, generator) -> None:
    """Writes an `Export` by TensorFlow, which reads the generator from a file.

    Formats are made from TensorFlow's graphs. Keras' weights are the same on all backends, so that
    the files are too. The process sees no GPU, whose memory may be taken.

    Args:
        export: the `Export`.
        generator: a `Generator`.

    Raises:
        ValueError: for options that are no JSON.
        RuntimeError: with the other process' own message.
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
            "JSON. For others load the model under KERAS_BACKEND=tensorflow and export it there."
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
