"""Writing a preset's folder."""

import json
import os
from pathlib import Path

import h5py
import keras
import numpy as np

from keras_spade.class_info import ClassInfo
from keras_spade.files import replacing_folder
from keras_spade.presets.preset import CLASSES, CONFIG, FILES, METADATA, WEIGHTS
from keras_spade.version import __version__

DTYPES = (None, "float16")


def save_preset(
    preset_dir: str | os.PathLike,
    model: keras.Model,
    parts: dict,
    classes: ClassInfo | None,
    dtype: str | None,
) -> None:
    """Atomically writes a folder from which `from_preset` rebuilds a model.

    Args:
        preset_dir: the folder. An existing preset is replaced.
        model: the model whose config to store.
        parts: the networks whose weights to store, by the names of the model's attributes;
            `""`: the model itself.
        classes: the `ClassInfo` of the model, or `None`.
        dtype: `None`: weights are stored unchanged. `"float16"`: kernels in 16 bits, except those
            that would lose more than rounding; biases, moving statistics and the vectors of
            spectral norms are stored unchanged.

    Raises:
        ValueError: for another dtype; if the folder holds other files.
        OSError: if it cannot be written; existing content is unchanged.
    """
    folder = _checked(preset_dir)
    if dtype not in DTYPES:
        raise ValueError(f"`dtype` must be None or 'float16', got {dtype!r}.")
    kind = type(model)
    config = {
        "module": kind.__module__,
        "class_name": kind.__name__,
        "config": model.get_config(),
        "registered_name": keras.saving.get_registered_name(kind),
    }
    metadata = {
        "keras_version": keras.__version__,
        "keras_spade_version": __version__,
        "parameter_count": sum(part.count_params() for part in parts.values()),
    }
    texts = {CONFIG: config, METADATA: metadata}
    if classes is not None:
        texts[CLASSES] = classes.to_json()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(folder) as partial:
        partial.mkdir()
        for name, content in texts.items():
            text = json.dumps(content, indent=2, allow_nan=False) + "\n"
            (partial / name).write_text(text, encoding="utf-8")
        with h5py.File(partial / WEIGHTS, "w") as file:
            for name, part in parts.items():
                alone = partial / f"part.{WEIGHTS}"
                part.save_weights(alone)
                with h5py.File(alone, "r") as source:
                    _copy(source, file.require_group(name) if name else file, dtype)
                alone.unlink()


def _checked(preset_dir):
    """The path of a folder that may be replaced."""
    if "://" in str(preset_dir):
        raise ValueError(
            f"`preset_dir` must be a local folder, got {str(preset_dir)!r}. Keras' "
            "`save('hf://user/repository')` uploads a model, and `from_preset` reads it; or upload "
            "the folder that this writes."
        )
    folder = Path(preset_dir)
    if folder.is_dir():
        others = sorted(path.name for path in folder.iterdir() if path.name not in FILES)
        if others:
            raise ValueError(
                f"`preset_dir`: {folder} holds {others[0]!r}, which is not part of a preset. Pass "
                "a new or empty folder, or a preset: its content is replaced."
            )
    elif folder.exists():
        raise ValueError(f"`preset_dir`: {folder} is a file.")
    return folder


def _copy(source, target, dtype):
    """Copies groups and arrays of an HDF5 file, kernels in 16 bits if asked."""
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            group = target.create_group(name)
            for key, value in item.attrs.items():
                group.attrs[key] = value
            _copy(item, group, dtype)
        elif dtype == "float16" and item.ndim >= 2 and item.dtype.kind == "f":
            target[name] = _half(item[()])
        else:
            source.copy(item, target, name)


def _half(kernel):
    """A kernel in 16 bits, unless values become infinite, or so small that they lose digits."""
    with np.errstate(over="ignore", invalid="ignore"):
        half = kernel.astype("float16")
        error = np.abs(half.astype(kernel.dtype) - kernel).max(initial=0)
    return half if error <= np.abs(kernel).max(initial=0) * 2.0**-11 else kernel
