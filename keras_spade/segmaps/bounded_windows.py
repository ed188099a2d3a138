"""The distinct windows of a map of ids with fixed shapes, for JAX."""

import functools
import math

import keras
from keras import ops

from keras_spade.tensor import Tensor

WORD_BITS = 32


def shapes_are_fixed() -> bool:
    """Whether shapes cannot depend on data, as in everything that JAX compiles."""
    return keras.backend.backend() == "jax"


def compiled_by_xla() -> bool:
    """Whether TensorFlow is tracing a function that XLA compiles, once for each shape."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def bounded_windows(
    ids: Tensor, id_bits: int, kernel_size: int, strides: int = 1, share: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """`distinct_windows` with a table of fixed length.

    Windows are packed into words of 32 bits and the pixels are sorted by these words. Each time two
    neighbours differ, a new number begins.

    Args:
        ids: integers, `(batch, H, W)`, at least 0 and below `2 ** id_bits`.
        id_bits: at most 31.
        kernel_size: rows and columns of the window.
        strides: strides of the window.
        share: number of rows of the table as a share of the output pixels.

    Returns:
        members: int32 `(rows, kernel_size**2)`, the ids in each distinct window; unused rows repeat
            a window.
        index: int32 `(batch, h, w)`, the window that each output pixel sees; valid if all fit.
        count: int32, the number of distinct windows.
    """
    import jax

    search = jax.jit(_search, static_argnums=(1, 2, 3, 4))
    return search(ops.cast(ids, "int32"), id_bits, kernel_size, strides, share)


def _search(ids, id_bits, kernel_size, strides, share):
    import jax

    pad = kernel_size // 2
    padded = ops.pad(ids, [[0, 0], [pad, pad], [pad, pad]])
    batch, height, width = padded.shape
    rows, columns = ((size - kernel_size) // strides + 1 for size in (height, width))
    taps = [
        padded[
            :,
            row : row + (rows - 1) * strides + 1 : strides,
            column : column + (columns - 1) * strides + 1 : strides,
        ]
        for row in range(kernel_size)
        for column in range(kernel_size)
    ]
    words = [ops.reshape(word, (-1,)) for word in _words(taps, id_bits)]
    pixels = words[0].shape[0]
    length = pixels if share >= 1 else max(1, min(math.ceil(share * pixels), pixels))

    *words, order = jax.lax.sort((*words, ops.arange(pixels, dtype="int32")), num_keys=len(words))
    differs = functools.reduce(ops.logical_or, [word[1:] != word[:-1] for word in words])
    starts = ops.concatenate([ops.ones((1,), "bool"), differs])
    numbers = ops.cast(ops.cumsum(ops.cast(starts, "int32")), "int32") - 1
    index = jax.numpy.zeros(pixels, "int32").at[order].set(numbers, unique_indices=True)
    # The first pixel with each number; numbers beyond the table are dropped.
    places = ops.where(starts, numbers, pixels)
    first = jax.numpy.zeros(length, "int32").at[places].set(order, mode="drop")

    corner = first // columns % rows * strides * width + first % columns * strides
    corner = corner + first // (rows * columns) * (height * width)
    offsets = [row * width + column for row in range(kernel_size) for column in range(kernel_size)]
    members = ops.take(ops.reshape(padded, (-1,)), corner[:, None] + ops.array(offsets, "int32"))
    index = ops.reshape(ops.minimum(index, length - 1), (batch, rows, columns))
    return members, index, numbers[-1] + 1


def _words(parts, bits):
    """Packs unsigned numbers of `bits` bits into words of 32 bits."""
    words, word, used = [], 0, 0
    for part in parts:
        part = ops.cast(part, "uint32")
        word = word | part << used
        used += bits
        if used >= WORD_BITS:
            words.append(word)
            used -= WORD_BITS
            word = part >> (bits - used) if used else 0
    return [*words, word] if used else words
