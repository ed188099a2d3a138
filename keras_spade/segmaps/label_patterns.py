"""The label patterns of a batch, for which convolutions over label maps compute one row each."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_spade.segmaps.bounded_patterns import (
    BoundedPatterns,
    find_bounded_patterns,
    found_bounded_patterns,
    table_share,
)
from keras_spade.segmaps.bounded_windows import compiled_by_xla, shapes_are_fixed
from keras_spade.segmaps.conditioning_map import check_conditioning, one_hot_map
from keras_spade.segmaps.dense import Dense
from keras_spade.segmaps.distinct_windows import (
    all_windows,
    distinct_windows,
    index_bits,
    window_count,
)
from keras_spade.segmaps.found_patterns import tables_of
from keras_spade.segmaps.modulation import check_modulation, compiles, has_many_classes
from keras_spade.segmaps.nearest_resize import is_integer, nearest_resize
from keras_spade.segmaps.patterns import Patterns
from keras_spade.segmaps.segmap import Segmap
from keras_spade.tensor import Tensor

# `"auto"` convolves one-hot maps above this share of distinct patterns, unless the map is so small
# that patterns are never slower; `benchmarks/patterns` measures both numbers.
DENSE_ABOVE = 0.75
SMALL_MAP = 32 * 32


@keras.saving.register_keras_serializable(package="keras_spade")
class LabelPatterns(keras.layers.Layer):
    """Finds the distinct label patterns at one resolution.

    A convolution over one-hot labels, and any function of its result at the same pixel, depends
    only on the window of labels around the pixel. Label maps are mostly flat, so few windows are
    distinct. The layers that follow compute one row for each distinct window and assign the rows to
    the pixels; the result is exact. A second convolution sees windows of indices of windows, and so
    on: `windows` lists the kernel size and strides of each convolution in the chain.

    The search numbers `height * width` integers per sample twice for each window (up to four times
    if the batch size is not known in advance). In return, the layers that follow only perform a
    fraction of their multiply-adds: the share of distinct patterns.

    On JAX, shapes cannot depend on data, so the tables below have a fixed length
    (`segmaps/bounded_patterns.py`); `modulation="auto"` and `"patterns"` are the same there. The
    networks of a `GauGAN` receive tables that the host has searched (`segmaps/host_search.py`). If
    TensorFlow compiles with XLA, `"auto"` does not search: it returns the one-hot map or, for small
    maps, a row for each pixel.

    Args:
        height: rows to which labels are resized (nearest).
        width: columns to which labels are resized.
        num_classes: ids are `0..num_classes-1`; other ids count as no class.
        windows: `(kernel_size, strides)` of each convolution in the chain; each pads by
            `kernel_size // 2`.
        modulation: `"patterns"`, or `"auto"`, which returns the one-hot map if there are so many
            patterns that dense convolutions are faster.

    Call arguments:
        labels: integer ids, `(batch, H, W)`.
        edges: optional 0/1 `(batch, H, W)`; any nonzero value is an edge.

    Returns:
        A dict:

        - `"members_i"`, for window `i` of the chain: int32 `(patterns, kernel_size**2)`, the
          content of each distinct window: for the first window ids of labels, for each later one
          the indices, plus 1, of distinct windows of the previous level. 0 is outside the map.
        - `"index"`: int32 `(batch, h, w)`, the index of the distinct window of the last level that
          each pixel sees.
        - `"pixels"`: `(ids, channels)`, the one-hot pixel for each id of a label. The ids are 0
          outside the map, `label + 1` for a class, `num_classes + 1` for any other label, and
          `num_classes + 1` more for pixels on an edge. With more than 2048 classes, replaced by
          `"channels"`: int32 `(ids, 1)`, with edges `(ids, 2)`, the channels that are 1; the number
          of channels stands for none.
        - `"map"`, with `"auto"` on maps that are not small: the one-hot map. If it is to be
          convolved, there is only one pattern, which no pixel sees, and `"index"` numbers the
          pixels of the map from 1; if not, the map is a single pixel. So layers compute both and
          join the rows, those of patterns first, without control flow.
        - `"fit"` and `"ids"`, on JAX if there may be more patterns than rows. `"fit"`: int32 `()`,
          0 if the patterns fit in the first half of each table, 1 if they fit in the whole table,
          2 if they do not fit: then layers convolve the one-hot map, whose pixels are
          `pixels[ids]`, and tables and `"index"` are meaningless. Unused rows repeat a window.

    Raises:
        ValueError: for invalid arguments, and for labels of another rank or dtype.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import LabelPatterns
    >>> layer = LabelPatterns(4, 4, num_classes=3, windows=((3, 1),), modulation="patterns")
    >>> patterns = layer(np.zeros((1, 8, 8), "int32"))
    >>> len(set(np.ravel(patterns["index"]).tolist()))
    9

    Reference: none; Park et al. 2019 (arXiv 1903.07291), figure 10, for the layer it speeds up.
    """

    def __init__(
        self,
        height: int,
        width: int,
        num_classes: int,
        windows: Sequence[tuple[int, int]] = ((3, 1), (3, 1)),
        modulation: str = "auto",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_modulation(modulation)
        if modulation == "dense":
            raise ValueError('`modulation="dense"` needs no patterns; use ConditioningMap.')
        self.height = height
        self.width = width
        self.num_classes = num_classes
        self.windows = tuple(tuple(window) for window in windows)
        self.modulation = modulation
        self.supports_jit = shapes_are_fixed() or compiles(modulation, num_classes)

    @property
    def key(self) -> str:
        """Names what it searches: layers with the same key find the same patterns."""
        sizes = "_".join(f"{size}s{strides}" for size, strides in self.windows)
        return f"{self.num_classes}_{self.height}x{self.width}_{sizes}"

    def build(self, labels_shape, edges_shape=None):
        """Holds no weights."""

    def call(self, labels, edges=None):
        """Finds the patterns."""
        check_conditioning(labels, edges, self.num_classes, self.name)
        size, dtype = (self.height, self.width), self.compute_dtype
        found = tables_of(self)
        return find_patterns(
            labels, edges, self.num_classes, size, self.windows, self.modulation, dtype, found
        ).tensors()

    def compute_output_spec(self, labels, edges=None):
        """Symbolic patterns, after the same checks as for real ones."""
        check_conditioning(labels, edges, self.num_classes, self.name)
        batch, height, width = labels.shape[0], self.height, self.width
        members = []
        for kernel_size, strides in self.windows:
            members.append(keras.KerasTensor((None, kernel_size**2), dtype="int32"))
            height, width = (window_count(size, kernel_size, strides) for size in (height, width))
        index = keras.KerasTensor((batch, height, width), dtype="int32")
        pixels = pixels_of_ids(self.num_classes, edges is not None)
        dtype = "int32" if is_integer(pixels) else self.compute_dtype
        pixels = keras.KerasTensor(pixels.shape, dtype=dtype)
        patterns = Patterns(tuple(members), index, pixels)
        if shapes_are_fixed():
            size = (self.height, self.width)
            if table_share(size, self.windows, is_integer(pixels)) == 1:
                return patterns.tensors()
            ids = keras.KerasTensor((batch, *size), dtype="int32")
            fit = keras.KerasTensor((), dtype="int32")
            return BoundedPatterns(patterns, ids, fit).tensors()
        if has_map(self.modulation, height, width, self.num_classes):
            shape = (None, None, None, pixels.shape[-1])
            dense = Dense(keras.KerasTensor(shape, dtype=self.compute_dtype))
            patterns = dataclasses.replace(patterns, dense=dense)
        return patterns.tensors()

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "num_classes": self.num_classes,
            "windows": self.windows,
            "modulation": self.modulation,
        }


def find_patterns(
    labels: Tensor,
    edges: Tensor | None,
    num_classes: int,
    size: Sequence[int],
    windows: Sequence[tuple[int, int]],
    modulation: str,
    dtype: str,
    found: Mapping[str, Tensor] | None = None,
) -> Segmap:
    """The `Patterns` or `BoundedPatterns` of integer labels; arguments as in `LabelPatterns`.

    `found` are the tables of `search_on_host` for these labels.
    """
    labels = nearest_resize(labels, *size)
    edges = None if edges is None else nearest_resize(edges, *size)
    ids, bits = _ids(labels, edges, num_classes)
    pixels = pixels_of_ids(num_classes, edges is not None)
    pixels = ops.convert_to_tensor(pixels, "int32" if is_integer(pixels) else dtype)
    if found is not None:
        return found_bounded_patterns(found, ids, pixels, windows)
    if shapes_are_fixed():
        return find_bounded_patterns(ids, bits, pixels, windows)
    if compiled_by_xla() and compiles(modulation, num_classes):
        return _without_search(labels, edges, num_classes, ids, pixels, windows, dtype)
    tables = []
    for kernel_size, strides in windows:
        members, index = distinct_windows(ids, bits, kernel_size, strides)
        tables.append(members)
        ids, bits = index + 1, index_bits(index)
    patterns = Patterns(tuple(tables), index, pixels)
    if not has_map(modulation, *index.shape[1:], num_classes):
        return patterns

    pixel_count = ops.size(index)
    counts = ops.cast(ops.stack([ops.shape(tables[-1])[0], pixel_count]), "float32")
    dense = counts[0] > DENSE_ABOVE * counts[1]

    def cut(x, axes, keep):
        ends = [ops.where(keep, size, 1) for size in ops.shape(x)[:axes]]
        return x[tuple(slice(ops.cast(end, "int32")) for end in ends)]

    # Unused tensors keep one element: TensorFlow's convolutions fail on empty batches.
    for level, table in enumerate(tables):
        table = cut(table, 1, ops.logical_not(dense))
        tables[level] = ops.where(dense, ops.zeros_like(table), table)
    every_pixel = ops.reshape(ops.arange(pixel_count, dtype=index.dtype), ops.shape(index))
    index = ops.where(dense, every_pixel + 1, index)
    edges = None if edges is None else cut(edges, 3, dense)
    dense_map = one_hot_map(cut(labels, 3, dense), num_classes, edges, dtype)
    return Patterns(tuple(tables), index, pixels, Dense(dense_map))


def _without_search(labels, edges, num_classes, ids, pixels, windows, dtype):
    """`Patterns` whose shapes do not depend on labels, for `modulation="auto"` with XLA."""
    tables, index = [], ids
    for level, (kernel_size, strides) in enumerate(windows):
        members, index = all_windows(index + 1 if level else ids, kernel_size, strides)
        tables.append(members)
    if not has_map("auto", *index.shape[1:], num_classes):  # The map is small.
        return Patterns(tuple(tables), index, pixels)
    tables = tuple(ops.zeros((1, table.shape[1]), "int32") for table in tables)
    dense_map = one_hot_map(labels, num_classes, edges, dtype)
    return Patterns(tables, index + 1, pixels, Dense(dense_map))


def has_map(modulation: str, height: int, width: int, num_classes: int) -> bool:
    """Whether patterns come with a dense map, which is used if there are too many patterns."""
    small = None not in (height, width) and height * width <= SMALL_MAP
    return modulation == "auto" and not small and not has_many_classes(num_classes)


def pixels_of_ids(num_classes: int, has_edges: bool) -> np.ndarray:
    """`"pixels"` or `"channels"` of `LabelPatterns`, an array of floats or integers."""
    if has_many_classes(num_classes):
        return one_hot_channels(num_classes, has_edges)
    return one_hot_pixels(num_classes, has_edges)


def one_hot_pixels(num_classes: int, has_edges: bool) -> np.ndarray:
    """The one-hot pixel for each id of `LabelPatterns`, `(ids, channels)`."""
    pixels = np.zeros((num_classes + 2, num_classes + has_edges))
    pixels[1 : num_classes + 1, :num_classes] = np.eye(num_classes)
    if not has_edges:
        return pixels
    on_edge = pixels[1:].copy()
    on_edge[:, -1] = 1
    return np.concatenate([pixels, on_edge])


def one_hot_channels(num_classes: int, has_edges: bool) -> np.ndarray:
    """The channels that are 1 in each row of `one_hot_pixels`, int32 `(ids, 1 + has_edges)`.

    The number of channels stands for none.
    """
    none = num_classes + has_edges
    labels = np.array([none, *range(num_classes), none], "int32")
    if not has_edges:
        return labels[:, None]
    ids = np.concatenate([labels, labels[1:]])
    edges = np.where(np.arange(len(ids)) < len(labels), none, num_classes)
    return np.stack([ids, edges], axis=1).astype("int32")


def _ids(labels, edges, num_classes):
    """One id per pixel for label and edge (see `LabelPatterns`), and the bits needed for it."""
    is_class = ops.logical_and(labels >= 0, labels < num_classes)
    ids = ops.where(is_class, ops.cast(labels, "int32"), num_classes) + 1
    if edges is None:
        return ids, (num_classes + 1).bit_length()
    on_edge = ops.cast(ops.not_equal(edges, 0), ids.dtype)
    return ids + (num_classes + 1) * on_edge, (2 * num_classes + 2).bit_length()
