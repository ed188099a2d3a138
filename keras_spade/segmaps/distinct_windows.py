"""The distinct windows of a map of ids, found without collisions."""

import keras
from keras import ops

from keras_spade.segmaps.bounded_windows import bounded_windows, shapes_are_fixed
from keras_spade.tensor import Tensor

KEY_BITS = 63
INDEX_BITS = 31


def distinct_windows(
    ids: Tensor, id_bits: int, kernel_size: int, strides: int = 1
) -> tuple[Tensor, Tensor]:
    """Lists the distinct windows that a convolution sees on a map of ids, and their pixels.

    The map is padded by `kernel_size // 2` on all sides with the id 0, which stands for "outside".
    Windows are identified by their content, not by a hash: the ids of neighbours are packed into
    one integer, `id_bits` bits each, and these integers are numbered. Rows of a window come first,
    then columns of rows, which keeps each integer small; if the ids still do not fit in 63 bits,
    parts are numbered in between.

    On JAX, a function that is being compiled cannot know the number of windows: it uses
    `bounded_windows`.

    Args:
        ids: integers, `(batch, H, W)`, at least 0 and below `2 ** id_bits`.
        id_bits: at most 31.
        kernel_size: rows and columns of the window.
        strides: strides of the window.

    Returns:
        members: int32 `(patterns, kernel_size**2)`, the ids in each distinct window.
        index: int32 `(batch, h, w)`, the window that each output pixel sees;
            `h = (H + 2 * (kernel_size // 2) - kernel_size) // strides + 1`.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import distinct_windows
    >>> members, index = distinct_windows(np.array([[[5, 5, 5, 5, 5]]]), 3, kernel_size=3)
    >>> members.shape[0], [np.array(members)[i].tolist() for i in np.ravel(index)[:2]]
    (3, [[0, 0, 0, 0, 5, 5, 0, 0, 0], [0, 0, 0, 5, 5, 5, 0, 0, 0]])
    """
    if shapes_are_fixed():
        members, index, count = bounded_windows(ids, id_bits, kernel_size, strides)
        return members[: int(count)], index
    pad = kernel_size // 2
    padded = ops.pad(ops.cast(ids, "int64"), [[0, 0], [pad, pad], [pad, pad]])
    rows, row_index = _number(_shifted(padded, 2, kernel_size, strides), id_bits)
    stacks, index = _number(_shifted(row_index, 1, kernel_size, strides), index_bits(row_index))
    members = ops.reshape(ops.take(rows, stacks, axis=0), (-1, kernel_size**2))
    return ops.cast(members, "int32"), ops.cast(index, "int32")


def all_windows(ids: Tensor, kernel_size: int, strides: int = 1) -> tuple[Tensor, Tensor]:
    """`distinct_windows` without a search, with fixed shapes: one row per pixel."""
    pad = kernel_size // 2
    padded = ops.pad(ops.cast(ids, "int32"), [[0, 0], [pad, pad], [pad, pad]])
    rows = _shifted(padded, 1, kernel_size, strides)
    taps = [tap for row in rows for tap in _shifted(row, 2, kernel_size, strides)]
    shape = ops.shape(taps[0])
    index = ops.reshape(ops.arange(ops.size(taps[0]), dtype="int32"), shape)
    return ops.reshape(ops.stack(taps, axis=-1), (-1, kernel_size**2)), index


def window_count(size: int | None, kernel_size: int, strides: int) -> int | None:
    """The number of windows along an axis of a given size (`None`: unknown)."""
    pad = kernel_size // 2
    return None if size is None else (size + 2 * pad - kernel_size) // strides + 1


def _shifted(x, axis, kernel_size, strides):
    """The map as each tap of the kernel sees it along one axis."""
    size = ops.shape(x)[axis]
    count = (size - kernel_size) // strides + 1  # `x` is already padded.
    taps = []
    for tap in range(kernel_size):
        picked = slice(tap, tap + (count - 1) * strides + 1, strides)
        taps.append(x[:, picked] if axis == 1 else x[:, :, picked])
    return taps


def _number(parts, bits):
    """Numbers the distinct tuples of equally shaped maps: `(tuples, index)`."""
    fit = KEY_BITS // bits
    if len(parts) > fit:
        tuples, first = _number(parts[:fit], bits)
        bits = max(bits, index_bits(first))
        rest, index = _number([first, *parts[fit:]], bits)
        members = [ops.take(tuples, rest[:, 0], axis=0), rest[:, 1:]]
        return ops.concatenate(members, axis=1), index
    key = parts[0]
    for part in parts[1:]:
        key = key * 2**bits + part  # Not shifts: LiteRT has none of 64 bits.
    keys, index = _unique(key)
    pixels = _pixels_of_numbers(ops.reshape(index, (-1,)), ops.shape(keys)[0])
    columns = [ops.take(ops.reshape(part, (-1,)), pixels) for part in parts]
    return ops.stack(columns, axis=1), ops.cast(ops.reshape(index, ops.shape(key)), "int64")


def _pixels_of_numbers(numbers, count):
    """For each number, one of the pixels that have it."""
    pixels = ops.arange(ops.size(numbers), dtype="int32")
    if keras.backend.backend() == "torch":  # Keras' `segment_max` is always float32 there.
        found = ops.zeros((count,), "int32")
        return ops.scatter_update(found, ops.expand_dims(numbers, 1), pixels)
    return ops.segment_max(pixels, numbers, count)


def _unique(x):
    """The distinct values of a tensor in any order, and the place of each element among them."""
    if keras.backend.backend() == "torch":
        import torch

        return torch.unique(x, sorted=False, return_inverse=True)
    import tensorflow as tf

    return tf.unique(tf.reshape(x, (-1,)))


def index_bits(x: Tensor) -> int:
    """Bits that suffice to number the pixels of a map, and so its distinct values or windows."""
    size = 1
    for length in x.shape:
        if length is None:
            return INDEX_BITS
        size *= length
    return max(size.bit_length(), 1)
