"""From label ids (or any float map) to the tensor that convolutions read."""

from typing import Any

import keras
from keras import ops

from keras_spade.segmaps.nearest_resize import is_integer, nearest_resize
from keras_spade.tensor import Tensor


def encode_labels(
    labels: Tensor,
    num_classes: int,
    height: int,
    width: int,
    edges: Tensor | None = None,
    dtype: str = "float32",
) -> Tensor:
    """Resizes integer labels, one-hot encodes them and appends the edge channel.

    Resizing comes first, so the one-hot tensor is only created at the required resolution.

    Args:
        labels: integer ids, `(batch, H, W)`.
        num_classes: number of one-hot channels, including the void class.
        height: rows of the result.
        width: columns of the result.
        edges: optional instance edges, `(batch, H, W)` of 0 and 1; any nonzero value is an edge.
        dtype: dtype of the result.

    Returns:
        `(batch, height, width, num_classes)`, plus one last channel if `edges` are given.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import encode_labels
    >>> np.array(encode_labels(np.array([[[2]]]), 3, 1, 1)).tolist()
    [[[[0.0, 0.0, 1.0]]]]
    """
    edges = None if edges is None else nearest_resize(edges, height, width)
    return one_hot_map(nearest_resize(labels, height, width), num_classes, edges, dtype)


def one_hot_map(
    labels: Tensor, num_classes: int, edges: Tensor | None = None, dtype: str = "float32"
) -> Tensor:
    """One-hot labels, zeros for unknown ids; the edges, if given, are one more last channel."""
    if keras.backend.backend() == "torch":
        from keras_spade.backends import torch_layers

        # Keras' `one_hot` raises for unknown ids, and on a GPU every later call then fails too.
        labels = ops.convert_to_tensor(labels)
        edges = None if edges is None else ops.convert_to_tensor(edges)
        return torch_layers.one_hot(labels, edges, num_classes, dtype)
    encoded = ops.one_hot(labels, num_classes, dtype=dtype)
    if edges is None:
        return encoded
    on_edge = ops.expand_dims(ops.cast(ops.not_equal(edges, 0), dtype), -1)
    return ops.concatenate([encoded, on_edge], axis=-1)


@keras.saving.register_keras_serializable(package="keras_spade")
class ConditioningMap(keras.layers.Layer):
    """The conditioning input at one resolution: one-hot labels and edges, or a float map, resized.

    The networks compute it once per resolution and pass it to every layer there.

    Args:
        height: rows of the result.
        width: columns of the result.
        num_classes: number of one-hot channels; `None` for float maps.

    Call arguments:
        segmap: integer labels `(batch, H, W)` in `0..num_classes-1`, or any float map
            `(batch, H, W, channels)`.
        edges: optional float 0/1 `(batch, H, W)`, with integer labels only.

    Returns:
        `(batch, height, width, channels)` in the layer's compute dtype.

    Raises:
        ValueError: for any other rank or dtype.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import ConditioningMap
    >>> ConditioningMap(4, 4, num_classes=3)(np.zeros((1, 8, 8), "int32")).shape[-1]
    3
    """

    def __init__(self, height: int, width: int, num_classes: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.height = height
        self.width = width
        self.num_classes = num_classes

    def build(self, segmap_shape, edges_shape=None):
        """Holds no weights."""

    def call(self, segmap, edges=None):
        """Resizes and encodes `segmap`."""
        return conditioning_map(
            segmap, edges, self.num_classes, self.height, self.width, self.compute_dtype, self.name
        )

    def compute_output_spec(self, segmap, edges=None):
        """A symbolic map, after the same checks as for a real one."""
        check_conditioning(segmap, edges, self.num_classes, self.name)
        shapes = (segmap.shape, None if edges is None else edges.shape)
        return keras.KerasTensor(self.compute_output_shape(*shapes), dtype=self.compute_dtype)

    def compute_output_shape(self, segmap_shape, edges_shape=None):
        """`(batch, height, width, channels)`."""
        channels = segmap_shape[-1] if len(segmap_shape) == 4 else self.num_classes
        return (segmap_shape[0], self.height, self.width, channels + (edges_shape is not None))

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "num_classes": self.num_classes,
        }


def conditioning_map(
    segmap: Tensor,
    edges: Tensor | None,
    num_classes: int | None,
    height: int,
    width: int,
    dtype: str,
    layer_name: str,
) -> Tensor:
    """`segmap` resized to `height` x `width`, as floats; shared by all layers."""
    check_conditioning(segmap, edges, num_classes, layer_name)
    if len(segmap.shape) == 3:
        return encode_labels(segmap, num_classes, height, width, edges, dtype)
    return nearest_resize(ops.cast(segmap, dtype), height, width)


def check_conditioning(
    segmap: Tensor, edges: Tensor | None, num_classes: int | None, layer_name: str
) -> None:
    """Raises unless `segmap` is integer labels, or a map with channels and without `edges`."""
    rank, integer = len(segmap.shape), is_integer(segmap)
    if rank == 3 and integer and num_classes is not None:
        return
    if rank == 4 and edges is None and not (integer and segmap.shape[-1] == 1):
        return
    raise ValueError(
        f"{layer_name!r}: `segmap` must be integer labels (batch, H, W), with `num_classes` given "
        "to the constructor and optional `edges` (batch, H, W), or a one-hot or float map "
        f"(batch, H, W, channels) without `edges`; got shape {tuple(segmap.shape)}, dtype "
        f"{keras.backend.standardize_dtype(segmap.dtype)}, num_classes={num_classes}, edges "
        f"{'given' if edges is not None else 'not given'}."
    )
