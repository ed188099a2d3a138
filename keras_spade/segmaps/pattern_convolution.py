"""Convolutions by label patterns: one row of the result for each distinct pattern."""

from collections.abc import Sequence

from keras import ops

from keras_spade.segmaps.nearest_resize import is_integer
from keras_spade.segmaps.rows import pick_rows
from keras_spade.tensor import Tensor


def convolve_pooled_labels(
    kernel: Tensor, pixels: Tensor, pooled: Sequence[Tensor], members: Tensor
) -> Tensor:
    """A convolution after poolings, for each distinct window of the pooled map.

    Pooling and convolution are linear: with few channels the pixels are pooled, with many channels
    their products with the kernel.

    Args:
        kernel: `(k, k, channels, filters)`.
        pixels: as in `convolve_labels`.
        pooled: ids, `(patterns, 9)` for each pooling.
        members: `(patterns, k * k)`, ids.

    Returns:
        `(patterns, filters)`.
    """
    if not (pooled and is_integer(pixels)):
        for windows in pooled:
            pixels = half_pool_pixels(pixels, windows)
        return convolve_labels(kernel, pixels, members)
    size, _, _, filters = kernel.shape
    rows = _kernel_of_pixels(kernel, pixels)
    for windows in pooled:
        rows = half_pool_pixels(rows, windows)
    return sum_over_taps(_taps_first(rows, size**2, filters), members)


def convolve_labels(kernel: Tensor, pixels: Tensor, members: Tensor) -> Tensor:
    """A convolution over a map of few distinct pixels, for each distinct window of them.

    Each tap multiplies its part of the kernel by each distinct pixel once; the result of a window
    is the sum of one such row per tap.

    Args:
        kernel: `(k, k, channels, filters)`.
        pixels: `(ids, channels)`, the pixel for each id; or int32 `(ids, n)`, its channels that are
            1, where `channels` stands for none.
        members: `(patterns, k * k)`, ids.

    Returns:
        `(patterns, filters)`.
    """
    size, _, channels, filters = kernel.shape
    if is_integer(pixels):
        rows = _taps_first(_kernel_of_pixels(kernel, pixels), size**2, filters)
        return sum_over_taps(rows, members)
    rows = ops.matmul(pixels, ops.reshape(kernel, (size**2, channels, filters)))
    return sum_over_taps(rows, members)


def _kernel_of_pixels(kernel, pixels):
    """The products of pixels, each given as a list of channels, with all taps of a kernel.

    Returns:
        `(ids, k * k * filters)`.
    """
    size, _, channels, filters = kernel.shape
    by_channel = ops.transpose(ops.reshape(kernel, (size**2, channels, filters)), (1, 0, 2))
    rows = ops.reshape(by_channel, (channels, size**2 * filters))
    rows = ops.pad(rows, [[0, 1], [0, 0]])
    return sum(pick_rows(rows, pixels[:, column]) for column in range(pixels.shape[-1]))


def _taps_first(rows, taps, filters):
    return ops.transpose(ops.reshape(rows, (-1, taps, filters)), (1, 0, 2))


def half_pool_pixels(pixels: Tensor, members: Tensor) -> Tensor:
    """The distinct pixels of a map after `HalfPool`.

    Args:
        pixels: `(ids, channels)`, the pixel for each id; 0 is outside the map.
        members: `(patterns, 9)`, ids.

    Returns:
        `(1 + patterns, channels)`; the first row is zeros, for outside.
    """
    total = sum(ops.take(pixels, members[:, tap], axis=0) for tap in range(members.shape[-1]))
    inside = ops.sum(ops.cast(members > 0, pixels.dtype), axis=1, keepdims=True)
    outside = ops.zeros((1, pixels.shape[-1]), pixels.dtype)
    return ops.concatenate([outside, total / ops.maximum(inside, 1)], axis=0)


def sum_over_taps(rows: Tensor, members: Tensor) -> Tensor:
    """Sums `rows[tap, members[pattern, tap]]` over the taps.

    Args:
        rows: `(taps, ids, filters)`.
        members: `(patterns, taps)`.

    Returns:
        `(patterns, filters)`.
    """
    taps, ids, filters = ops.shape(rows)
    flat = ops.reshape(rows, (-1, filters))
    offsets = ids * ops.arange(taps, dtype=members.dtype)
    return ops.sum(pick_rows(flat, members + offsets), axis=1)


def gather_windows(rows: Tensor, members: Tensor) -> Tensor:
    """Concatenates, for each distinct window of patterns, the rows of its members.

    Args:
        rows: `(patterns of the previous level, channels)`.
        members: `(patterns, k * k)`, indices of patterns of the previous level plus 1; 0 gives
            zeros.

    Returns:
        `(patterns, k * k * channels)`; multiplied by a kernel, this gives the convolution.
    """
    channels = rows.shape[-1]
    rows = ops.concatenate([ops.zeros((1, channels), rows.dtype), rows], axis=0)
    return ops.reshape(pick_rows(rows, members), (-1, members.shape[-1] * channels))
