"""Convolutions of label maps and of what follows from them, a row for each distinct pattern."""

import numpy as np
from keras import ops


def convolve_labels(kernel, members, has_edges):
    """A convolution over one-hot labels, for each distinct window of ids.

    A one-hot pixel picks one row of the kernel, so a window's result is the sum of one kernel row
    a tap.

    Args:
        kernel: `(k, k, channels, filters)`; the last channel belongs to the edges if `has_edges`.
        members: `(patterns, k * k)`, ids as `LabelPatterns` gives them.
        has_edges: whether ids hold an edge bit.

    Returns:
        `(patterns, filters)`.
    """
    size, _, channels, filters = kernel.shape
    kernel = ops.reshape(kernel, (size**2, channels, filters))
    nothing = ops.zeros((size**2, 1, filters), kernel.dtype)
    classes, edge = (kernel[:, :-1], kernel[:, -1:]) if has_edges else (kernel, None)
    # One row an id: outside, the classes, no class; then the same on an edge.
    rows = ops.concatenate([nothing, classes, nothing], axis=1)
    if has_edges:
        rows = ops.concatenate([rows, rows[:, 1:] + edge], axis=1)
    return sum_over_taps(rows, members)


def convolve_pooled_labels(kernel, members, num_classes):
    """A convolution over one-hot labels that went through `HalfPool` one or more times.

    Args:
        kernel: `(k, k, channels, filters)`; one more channel than classes for edges.
        members: a list: members of the 3 x 3 windows of each pooling, then of the convolution's.
        num_classes: number of classes.

    Returns:
        `(patterns, filters)`.
    """
    size, _, channels, filters = kernel.shape
    rows = _one_hot_rows(num_classes, channels, kernel.dtype)
    for pooled in members[:-1]:
        # What is outside does not count in the mean.
        total = sum(ops.take(rows, pooled[:, tap], axis=0) for tap in range(pooled.shape[-1]))
        inside = ops.sum(ops.cast(pooled > 0, kernel.dtype), axis=1, keepdims=True)
        mean = total / ops.maximum(inside, 1)
        rows = ops.concatenate([ops.zeros((1, channels), kernel.dtype), mean], axis=0)
    rows = ops.matmul(rows, ops.reshape(kernel, (size**2, channels, filters)))
    return sum_over_taps(rows, members[-1])


def _one_hot_rows(num_classes, channels, dtype):
    """The one-hot pixel that each id of `LabelPatterns` stands for."""
    rows = np.zeros((num_classes + 2, channels))
    rows[1 : num_classes + 1, :num_classes] = np.eye(num_classes)
    if channels > num_classes:
        on_edge = rows[1:].copy()
        on_edge[:, -1] = 1
        rows = np.concatenate([rows, on_edge])
    return ops.convert_to_tensor(rows, dtype)


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
    return ops.sum(ops.take(flat, members + offsets, axis=0), axis=1)


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
    return ops.reshape(ops.take(rows, members, axis=0), (-1, members.shape[-1] * channels))
