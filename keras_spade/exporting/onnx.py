"""ONNX: a file for onnxruntime and other programs that read ONNX."""

import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

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
    """Writes the file, after ONNX's checks of operations and types.

    tf2onnx copies constants dozens of times, 20 GiB for the paper's generator. So kernels are
    inputs of the graph that it converts, and become constants afterwards.
    """
    import onnx
    import tensorflow as tf
    import tf2onnx

    kernels = [weight for weight in painter.generator.weights if len(weight.shape) > 1]
    weights = {f"kernel_{index}": kernel for index, kernel in enumerate(kernels)}

    @tf.function(autograph=False)
    def paint(inputs):
        values = [(weight, inputs[name]) for name, weight in weights.items()]
        with keras.StatelessScope(state_mapping=values):
            return painter({name: inputs[name] for name in painter.shapes()})

    specs = {name: tf.TensorSpec(x.shape, x.dtype, name) for name, x in weights.items()}
    model, _ = tf2onnx.convert.from_function(
        paint, [painter.signature() | specs], opset=options.get("opset_version")
    )
    make_constant(model.graph, {k: keras.ops.convert_to_numpy(x) for k, x in weights.items()})
    for value in model.graph.input:
        name_sizes(value, painter.shapes()[value.name])
    for value in model.graph.output:
        name_sizes(value, ("batch", *painter.generator.image_shape))
    # tf2onnx only logs operations that it cannot convert, and continues.
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def make_constant(graph: Any, values: dict[str, np.ndarray]) -> None:
    """Turns inputs of a graph into constants, transposed where a node only transposes them.

    Args:
        graph: an `onnx.GraphProto`.
        values: a NumPy array for the name of each input.
    """
    from onnx import numpy_helper

    nodes, read = [], []
    for node in graph.node:
        if node.op_type == "Transpose" and node.input[0] in values:
            (order,) = (list(attribute.ints) for attribute in node.attribute)
            constant = values[node.input[0]].transpose(order)
            graph.initializer.append(numpy_helper.from_array(constant, node.output[0]))
        else:
            nodes.append(node)
            read.extend(node.input)
    inputs = [value for value in graph.input if value.name not in values]
    for name in values.keys() & set(read):
        graph.initializer.append(numpy_helper.from_array(values[name], name))
    for field, kept in ((graph.node, nodes), (graph.input, inputs)):
        del field[:]
        field.extend(kept)


def name_sizes(value: Any, shape: Sequence[int | str | None]) -> None:
    """Gives meaningful names to the unknown sizes of an input or output."""
    for axis, size in zip(value.type.tensor_type.shape.dim, shape, strict=True):
        if isinstance(size, str):
            axis.dim_param = size
