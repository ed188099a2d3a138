"""ONNX: a file for onnxruntime and other programs that read ONNX."""

import os
from collections.abc import Sequence
from typing import Any

from keras_spade.exporting.painter import Painter

SUFFIX = ".onnx"
NEEDS = ("tensorflow", "tf2onnx", "onnx")
INSTALL = "pip install tensorflow 'tf2onnx>=1.17' onnx onnxruntime"


def check(options: dict) -> None:
    """Raises for unknown options."""
    unknown = set(options) - {"opset_version"}
    if unknown:
        raise ValueError(f"`export`: format='onnx' takes `opset_version`, not {sorted(unknown)}.")


def changes(options: dict) -> dict:
    """Changes to the exported generator: no shifts of signed integers, no 16-bit floats."""
    return {"modulation": "dense", "dtype": "float32"}


def write(painter: Painter, path: str | os.PathLike, options: dict) -> None:
    """Writes the file, after ONNX's checks of operations and types."""
    import onnx
    import tf2onnx

    model, _ = tf2onnx.convert.from_function(
        painter.traced(), [painter.signature()], opset=options.get("opset_version")
    )
    for value in model.graph.input:
        name_sizes(value, painter.shapes()[value.name])
    for value in model.graph.output:
        name_sizes(value, ("batch", *painter.generator.image_shape))
    # tf2onnx only logs operations that it cannot convert, and continues.
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def name_sizes(value: Any, shape: Sequence[int | str | None]) -> None:
    """Gives meaningful names to the unknown sizes of an input or output."""
    for axis, size in zip(value.type.tensor_type.shape.dim, shape, strict=True):
        if isinstance(size, str):
            axis.dim_param = size
