"""The painter as a folder for any static host; the visitor's browser paints."""

import os
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_spade.backends import backend
from keras_spade.files import replacing_folder
from keras_spade.painting.page_files import PAGE, page_files
from keras_spade.painting.painting_model import PaintingModel

VERSION = "1.30.0"
SCRIPT = "ort.wasm.bundle.min.mjs"
WASM = "ort-wasm-simd-threaded.wasm"
# Hash of that version on npm.
INTEGRITY = {
    SCRIPT: "sha384-PLWz+nHEVHpjwBsO0YVdvQj6n5814Iv8E3b8FG0Rp/uIAtjFMCKOpP66iPzedrIG",
    WASM: "sha384-vjBJ1z7qrhkTyYsNqKeF6c7N+nOJSU94czEo+tvZcu8G75JparGq9kB+kTnEUNVM",
}
CDN = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{VERSION}/dist/"
LOCAL = "onnxruntime/"
GENERATOR, ENCODER = "generator.onnx", "encoder.onnx"


def write_site(
    folder: str | os.PathLike,
    model: PaintingModel,
    maps: Sequence[np.ndarray] = (),
    onnxruntime_web: str | os.PathLike | None = None,
) -> None:
    """Writes the painter's page with the networks as ONNX, which onnxruntime-web runs.

    Args:
        folder: the folder to write. It must be new, empty, or an earlier site without other files,
            which is replaced.
        model: a `PaintingModel`.
        maps: label maps to start with.
        onnxruntime_web: the folder `dist` of the npm package onnxruntime-web, from which two files
            are copied. `None`: visitors' browsers load them from jsDelivr, and verify the hashes of
            the required version.

    Raises:
        ValueError: if the folder holds anything else, `.git` for example; if `onnxruntime_web`
            lacks a file.
        ImportError: naming what exporting needs.
        OSError: if the folder cannot be written; existing content is unchanged then.
    """
    folder = Path(folder)
    _check(folder)
    runtime = {"base": CDN, "integrity": INTEGRITY}
    if onnxruntime_web is not None:
        missing = [n for n in INTEGRITY if not (Path(onnxruntime_web) / n).is_file()]
        if missing:
            raise ValueError(
                f"`onnxruntime_web`: {onnxruntime_web} has no {missing[0]}; pass the folder dist "
                f"of the npm package onnxruntime-web@{VERSION}."
            )
        runtime = {"base": LOCAL, "integrity": None}
    runtime |= {"script": SCRIPT, "wasm": WASM}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(folder) as partial:
        partial.mkdir()
        size = model.generator.image_shape[:2]
        path = partial / GENERATOR
        model.generator.export(path, format="onnx", image_size=size, verbose=False)
        facts = {"onnxruntime": runtime}
        if model.encoder is not None and backend.TRACES_TENSORFLOW:
            _export_encoder(model.encoder, partial / ENCODER)
        else:
            facts["photograph"] = None
        for path, content in page_files(model, "engine_site.js", maps, **facts).items():
            (partial / path).parent.mkdir(exist_ok=True)
            (partial / path).write_bytes(content)
        if onnxruntime_web is not None:
            (partial / LOCAL).mkdir()
            for name in INTEGRITY:
                shutil.copyfile(Path(onnxruntime_web) / name, partial / LOCAL / name)


def _export_encoder(encoder, path):
    """Writes the encoder; on JAX and PyTorch, Keras would need more libraries."""
    encoder = encoder.fold_spectral_norm(dtype="float32")
    encoder(np.zeros((1, *encoder.image_shape), "float32"))  # Keras requires a first call.
    with warnings.catch_warnings():
        # Keras 3.15 asks NumPy for a name that NumPy reserves.
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        encoder.export(path, format="onnx", verbose=False)


def _check(folder):
    """Refuses a folder with files that are not part of a site, because they would be deleted."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"`folder`: {folder} is a file.")
    parts = {entry.name for entry in PAGE.iterdir()}
    parts |= {"engine.js", "model.json", "latents.bin", "maps", GENERATOR, ENCODER}
    parts.add(LOCAL.rstrip("/"))
    others = sorted({entry.name for entry in folder.iterdir()} - parts)
    if others:
        raise ValueError(
            f"`folder`: {folder} holds files that are not part of the painter's site and would be "
            f"deleted: {', '.join(others[:5])}. Pass a new or empty folder."
        )
