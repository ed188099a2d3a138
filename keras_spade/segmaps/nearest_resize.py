"""Nearest-neighbour resizing that picks the top-left source pixel."""

import keras
from keras import ops

from keras_spade.images import nearest_index
from keras_spade.tensor import Tensor


def nearest_resize(x: Tensor, height: int, width: int) -> Tensor:
    """Resizes maps by the rule `source = floor(target * (size_in / size_out))`.

    The product and the ratio are float32, as in PyTorch's `interpolate(mode="nearest")`, which
    the reference implementation uses; for some non-integer ratios an index is therefore one lower
    than with integer arithmetic. Keras and TensorFlow use half-pixel centres instead, which select
    different pixels even at a factor of two.

    Args:
        x: integer or float maps, `(batch, H, W)` or `(batch, H, W, channels)`.
        height: rows of the result.
        width: columns of the result.

    Returns:
        The maps at `(batch, height, width)` or `(batch, height, width, channels)`, same dtype.

    Raises:
        ValueError: if `x` has neither 3 nor 4 axes.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import nearest_resize
    >>> x = np.arange(6).reshape(1, 1, 6)
    >>> [int(i) for i in np.ravel(nearest_resize(x, 1, 4))]
    [0, 1, 3, 4]

    Reference: Park et al. 2019 (arXiv 1903.07291), figure 10.
    """
    if len(x.shape) not in (3, 4):
        raise ValueError(
            "nearest_resize: `x` must have shape (batch, H, W) or (batch, H, W, channels), "
            f"got {tuple(x.shape)}."
        )
    height_in, width_in = ops.shape(x)[1:3]
    steps = _step(height_in, height), _step(width_in, width)
    if steps == (1, 1):
        return x
    if None not in steps and len(x.shape) == 3:
        # Not for maps with channels: every convolution would copy the strided view.
        return ops.convert_to_tensor(x)[:, :: steps[0], :: steps[1]]
    if steps[0] != 1:
        x = ops.take(x, _source_indices(height_in, height), axis=1)
    if steps[1] != 1:
        x = ops.take(x, _source_indices(width_in, width), axis=2)
    return x


def _step(size_in, size_out):
    """The constant distance between selected source pixels; `None` if it varies."""
    known = isinstance(size_in, int) and isinstance(size_out, int)
    return size_in // size_out if known and size_in % size_out == 0 else None


def _source_indices(size_in, size_out):
    if isinstance(size_in, int) and isinstance(size_out, int):
        return nearest_index(size_in, size_out)
    # Via float64: otherwise TensorFlow's graph optimiser reorders product and quotient.
    ratio = ops.divide(ops.cast(size_in, "float64"), ops.cast(size_out, "float64"))
    ratio = ops.cast(ratio, "float32")
    index = ops.floor(ops.multiply(ops.cast(ops.arange(size_out), "float32"), ratio))
    return ops.minimum(ops.cast(index, "int32"), ops.cast(size_in, "int32") - 1)


def is_integer(x: Tensor) -> bool:
    """Whether a tensor, array or symbolic tensor holds integers."""
    return "int" in keras.backend.standardize_dtype(x.dtype)
