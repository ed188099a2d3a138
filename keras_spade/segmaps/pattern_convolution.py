"""Convolutions of label maps and of what follows from them, a row for each distinct pattern."""

from keras import ops

from keras_spade.segmaps.nearest_resize import is_integer
from keras_spade.segmaps.rows import pick_rows


def convolve_pooled_labels(kernel, pixels, pooled, members):
    """A convolution behind poolings, for each distinct window of the pooled map.

    Pooling and convolution are linear: of few channels the pixels are pooled, of many what the
    kernel makes of them.

    Args:
        kernel: `(k, k, channels, filters)`.
        pixels: as in `convolve_labels`.
        pooled: for each pooling `(patterns, 9)`, ids.
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


def convolve_labels(kernel, pixels, members):
    """A convolution over a map of few distinct pixels, for each distinct window of them.

    Each tap multiplies its part of the kernel by each distinct pixel once; a window's result is the
    sum of one such row a tap.

    Args:
        kernel: `(k, k, channels, filters)`.
        pixels: `(ids, channels)`, the pixel each id stands for; or int32 `(ids, n)`, its channels
            that are 1, `channels` for none.
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
    """For each pixel, a list of its channels, its product with all of a kernel's taps.

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


def half_pool_pixels(pixels, members):
    """The distinct pixels of a map behind `HalfPool`.

    Args:
        pixels: `(ids, channels)`, the pixel each id stands for; 0 is outside of the map.
        members: `(patterns, 9)`, ids.

    Returns:
        `(1 + patterns, channels)`, zeros first, for outside.
    """
    total = sum(ops.take(pixels, members[:, tap], axis=0) for tap in range(members.shape[-1]))
    inside = ops.sum(ops.cast(members > 0, pixels.dtype), axis=1, keepdims=True)
    outside = ops.zeros((1, pixels.shape[-1]), pixels.dtype)
    return ops.concatenate([outside, total / ops.maximum(inside, 1)], axis=0)


def sum_over_taps(rows, members):
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


def gather_windows(rows, members):
    """For each distinct window of patterns, the rows of its members side by side.

    Args:
        rows: `(patterns below, channels)`.
        members: `(patterns, k * k)`, numbers of patterns below plus one; 0 gives zeros.

    Returns:
        `(patterns, k * k * channels)`: one matrix product away from the convolution.
    """
    channels = rows.shape[-1]
    rows = ops.concatenate([ops.zeros((1, channels), rows.dtype), rows], axis=0)
    return ops.reshape(pick_rows(rows, members), (-1, members.shape[-1] * channels))
