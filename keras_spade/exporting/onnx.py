"""ONNX: a file for onnxruntime and what else reads ONNX."""

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
    """How the generator that is written differs: no shifts of signed integers, no 16 bits."""
    return {"modulation": "dense", "dtype": "float32"}


def write(painter: Painter, path, options: dict) -> None:
    """Writes the file, after ONNX' own checks of operations and types."""
    import onnx
    import tf2onnx

    model, _ = tf2onnx.convert.from_function(
        painter.traced(), [painter.signature()], opset=options.get("opset_version")
    )
    for value in model.graph.input:
        name_sizes(value, painter.shapes()[value.name])
    for value in model.graph.output:
        name_sizes(value, ("batch", *painter.generator.image_shape))
    # tf2onnx reports what it cannot convert in its log, and goes on.
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def name_sizes(value, shape):
    """Gives the sizes of an input or output that are open names that say what they are."""
    for axis, size in zip(value.type.tensor_type.shape.dim, shape, strict=True):
        if isinstance(size, str):
            axis.dim_param = size
