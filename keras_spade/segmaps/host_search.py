"""The search for label patterns on the host, before a compiled step, for JAX.

A compiled function must know the lengths of its tables, and the host knows how many patterns a
batch has. So it chooses the smallest of a few lengths, and JAX compiles a program for each of them
that occurs, without the search and with only one way to compute.
"""

import itertools
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from keras_spade.images import nearest_index
from keras_spade.segmaps.bounded_patterns import table_share
from keras_spade.segmaps.bounded_windows import shapes_are_fixed
from keras_spade.segmaps.distinct_windows import window_count
from keras_spade.segmaps.label_patterns import LabelPatterns
from keras_spade.segmaps.modulation import has_many_classes

# The lengths of tables, each a program to compile. A table has `room * (reach + step) / side` rows
# per pixel, with the reach and step of its windows in pixels of the label map: by this rule, about
# the same room is enough for all tables of a batch. Of 17 COCO-Stuff maps with edges at 256 x 256,
# 7 need at most 4, 4 more at most 6, and 6 more at most 10.
ROOMS = (4.0, 6.0, 10.0)


def host_searches() -> bool:
    """Whether compiled functions do without a search: on JAX, if one accelerator has the batch.

    On a CPU, the host is the device: the step takes as long with either search, and one program for
    all label maps compiles sooner than one for each length.
    """
    if not shapes_are_fixed() or keras.distribution.distribution() is not None:
        return False
    import jax

    return jax.default_backend() != "cpu"


def search_on_host(
    layers: Iterable[LabelPatterns], labels: np.ndarray, edges: np.ndarray | None = None
) -> dict[str, dict[str, np.ndarray]]:
    """The label patterns that layers would search on the device.

    One room for all tables of a batch decides about their lengths, so a function is compiled at
    most `len(ROOMS) + 1` times per shape of `labels`.

    Args:
        layers: all that read these label maps.
        labels: integers `(batch, H, W)`.
        edges: 0/1 `(batch, H, W)`, or `None`.

    Returns:
        For each `LabelPatterns.key` a dict of `"members_i"`, int32 `(rows, kernel_size**2)`, and
        `"index"`, int32 `(batch, h, w)`, as `LabelPatterns` returns them; unused rows repeat the
        first one. An empty dict if the patterns fit in no table: then layers convolve the one-hot
        map.
    """
    by_key = {layer.key: layer for layer in layers}
    samples = [slice(i, i + 1) for i in range(len(labels))]
    with ThreadPoolExecutor() as pool:  # NumPy releases Python's lock.
        parts = {
            key: [
                pool.submit(_chain, layer, labels[i], None if edges is None else edges[i])
                for i in samples
            ]
            for key, layer in by_key.items()
        }
        found = {key: _merged([part.result() for part in parts[key]]) for key in parts}
    rooms = (*ROOMS, math.inf)
    room = next(
        room
        for room in rooms
        if all(_fits(by_key[key], room, *chain) for key, chain in found.items())
    )
    return {key: _tables(by_key[key], room, *chain) for key, chain in found.items()}


def windows_on_host(ids: np.ndarray, kernel_size: int, strides: int = 1) -> tuple:
    """`distinct_windows` in NumPy.

    Most windows lie within a region: they repeat one id, and need no search.

    Args:
        ids: integers at least 0, `(batch, H, W)`.
        kernel_size: rows and columns of the window.
        strides: strides of the window.

    Returns:
        `members` and `index`, as `distinct_windows` returns them.
    """
    pad, taps = kernel_size // 2, range(kernel_size)
    padded = np.pad(np.asarray(ids, "int32"), ((0, 0), (pad, pad), (pad, pad)))
    _, height, width = padded.shape
    ends = [1 + size - kernel_size for size in (height, width)]

    def shifted(x, row, column):
        """What a tap of the kernel sees of a map."""
        return x[:, row : row + ends[0] : strides, column : column + ends[1] : strides]

    mixed = np.zeros(shifted(padded, 0, 0).shape, bool)
    for row, column in itertools.product(taps, taps[:-1]):
        mixed |= shifted(padded, row, column) != shifted(padded, row, column + 1)
    for row in taps[:-1]:
        mixed |= shifted(padded, row, 0) != shifted(padded, row + 1, 0)

    first = shifted(padded, 0, 0)
    number = np.zeros(padded.max() + 1, "int32")
    number[first[~mixed]] = 1
    flat = np.flatnonzero(number).astype("int32")
    number[flat] = np.arange(len(flat))
    index = number.take(first)

    sample, row, column = np.nonzero(mixed)
    corners = (sample * height + row * strides) * width + column * strides
    offsets = np.add.outer(np.multiply(taps, width), taps).ravel()
    others, numbers = _distinct_rows(padded.ravel().take(corners[:, None] + offsets))
    index[mixed] = len(flat) + numbers
    return np.concatenate([np.repeat(flat[:, None], kernel_size**2, axis=1), others]), index


def _distinct_rows(rows):
    """The distinct rows of a matrix of integers, and the place of each row among them."""
    if not len(rows):
        return rows, np.zeros(0, "int32")
    # Sorting one weighted sum per row is faster than sorting rows.
    sums = np.zeros(len(rows), "uint64")
    for column, weight in zip(rows.T, _weights(rows.shape[1]), strict=True):
        sums += column.astype("uint64") * weight
    order = np.argsort(sums)
    starts = np.diff(sums[order], prepend=~sums[order[:1]]) != 0
    index = np.empty(len(rows), "int32")
    index[order] = np.cumsum(starts) - 1
    distinct = rows[order[starts]]
    if not np.array_equal(distinct[index], rows):  # Different rows had the same sum.
        distinct, index = np.unique(rows, axis=0, return_inverse=True)
    return distinct, index.reshape(-1).astype("int32")


def _weights(count):
    """Always the same odd numbers of 63 bits."""
    return np.random.default_rng(0).integers(2**63, size=count, dtype="uint64") | np.uint64(1)


def _chain(layer, labels, edges):
    """The tables of a layer without unused rows, and the index, of some samples."""
    rows, columns = map(nearest_index, labels.shape[1:], (layer.height, layer.width))
    labels = np.asarray(labels)[:, rows[:, None], columns]
    is_class = (labels >= 0) & (labels < layer.num_classes)
    index = np.where(is_class, labels, layer.num_classes).astype("int32")
    if edges is not None:
        on_edge = np.asarray(edges)[:, rows[:, None], columns] != 0
        index += (layer.num_classes + 1) * on_edge.astype("int32")
    tables = []
    for kernel_size, strides in layer.windows:
        members, index = windows_on_host(index + 1, kernel_size, strides)
        tables.append(members)
    return tables, index


def _merged(parts):
    """Tables and index of a batch, from those of each sample."""
    tables, numbers = [], None
    for level in zip(*(tables for tables, _ in parts), strict=True):
        if numbers is not None:  # Those of the windows of the level below.
            pairs = zip(numbers, level, strict=True)
            level = [np.pad(number + 1, (1, 0)).take(table) for number, table in pairs]
        table, places = _distinct_rows(np.concatenate(level))
        numbers = np.split(places, np.cumsum([len(table) for table in level])[:-1])
        tables.append(table)
    pairs = zip(numbers, [index for _, index in parts], strict=True)
    return tables, np.concatenate([number.take(index) for number, index in pairs])


def _lengths(layer, room, batch):
    """Rows of each table."""
    size, side, reach, step = (layer.height, layer.width), min(layer.height, layer.width), 1, 1
    for kernel_size, strides in layer.windows:
        reach, step = reach + (kernel_size - 1) * step, step * strides
        size = [window_count(length, kernel_size, strides) for length in size]
        yield math.ceil(min(room * (reach + step) / side, 1.0) * batch * math.prod(size))


def _fits(layer, room, tables, index):
    lengths = _lengths(layer, room, len(index))
    return room == math.inf or all(
        len(table) <= length for table, length in zip(tables, lengths, strict=True)
    )


def _tables(layer, room, tables, index):
    """The tables of a layer with unused rows, by name."""
    size, many = (layer.height, layer.width), has_many_classes(layer.num_classes)
    if room == math.inf and table_share(size, layer.windows, many) < 1:
        return {}
    found = {"index": index}
    for level, length in enumerate(_lengths(layer, room, len(index))):
        table = tables[level]
        unused = np.broadcast_to(table[:1], (length - len(table), table.shape[1]))
        found[f"members_{level}"] = np.concatenate([table, unused])
    return found
