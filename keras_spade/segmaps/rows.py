"""Gathering rows by pixel, with gradients that need less memory than automatic ones."""

import keras
from keras import ops

from keras_spade.backends.layers import multiply_and_add
from keras_spade.precision import full_precision
from keras_spade.tensor import Tensor


def after(x: Tensor, ids: Tensor) -> Tensor:
    """The same integers, available only after `x` has been computed.

    Operations that depend on labels alone can run at any time, and TensorFlow would compute the
    maps of all layers first and keep them until they are needed.

    Args:
        x: a float tensor.
        ids: an integer tensor.

    Returns:
        `ids`.
    """
    # Always zero, but no compiler can prove it.
    return ids + ops.cast(ops.sum(ops.reshape(x, (-1,))[:1]) > float("inf"), ids.dtype)


def pick_rows(rows: Tensor, index: Tensor) -> Tensor:
    """`rows[index]`; the gradients of a row are summed in at least float32.

    Args:
        rows: `(rows, channels)`.
        index: integers of any shape.

    Returns:
        A tensor of the shape `(*index.shape, channels)`.
    """

    # JAX needs the index as an argument: it computes gradients after a branch has been left.
    @ops.custom_gradient
    def pick(rows, index):
        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return _sum_by_row(upstream, index, rows), None

        return ops.take(rows, index, axis=0), gradient

    return pick(rows, ops.convert_to_tensor(index))


def _sum_by_row(values, index, rows):
    """The sum, for each of `rows`, of the values at the positions that selected it."""
    values = ops.reshape(full_precision(values), (-1, rows.shape[-1]))
    index = ops.reshape(index, (-1,))
    if keras.backend.backend() == "torch":
        # Keras' `segment_sum` is always float32 there, and repeats the index for each channel.
        total = values.new_zeros(rows.shape).index_add_(0, index, values)
    else:
        total = ops.segment_sum(values, index, ops.shape(rows)[0])
    return ops.cast(total, rows.dtype)


def pick_and_modulate(x: Tensor, gain: Tensor, bias: Tensor, index: Tensor) -> Tensor:
    """`x * gain[index] + bias[index]`; the gradient gathers again instead of storing the result.

    Args:
        x: activations, `(batch, h, w, channels)`.
        gain: `(rows, channels)`.
        bias: `(rows, channels)`.
        index: int32 `(batch, h, w)`, the row of each pixel.

    Returns:
        A tensor of the same shape as `x`.
    """

    @ops.custom_gradient
    def modulate(x, gain, bias, index):
        y = multiply_and_add(x, ops.take(gain, index, axis=0), ops.take(bias, index, axis=0))

        def gradients(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            later = after(upstream, index)
            for_gain = _sum_by_row(upstream * x, later, gain)
            # One at a time: each needs a tensor of the size of `x`.
            picked = ops.take(gain, after(for_gain, later), axis=0)
            return upstream * picked, for_gain, _sum_by_row(upstream, later, bias), None

        return y, gradients

    return modulate(x, gain, bias, ops.convert_to_tensor(index))
