"""Label patterns with fixed shapes, for JAX: the tables have a length that is known in advance.

JAX compiles for fixed shapes, so the number of rows of a table cannot depend on the number of
patterns. Instead, it depends on the size of the map. Patterns are also counted, and if they do not
fit in the table, layers convolve the one-hot map instead: the result is exact in any case.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras
from keras import ops

from keras_spade.segmaps.bounded_windows import bounded_windows
from keras_spade.segmaps.dense import Dense
from keras_spade.segmaps.distinct_windows import INDEX_BITS, window_count
from keras_spade.segmaps.nearest_resize import is_integer
from keras_spade.segmaps.patterns import Patterns
from keras_spade.segmaps.segmap import Segmap
from keras_spade.segmaps.segmap_function import SegmapFunction
from keras_spade.tensor import Tensor

# Windows differ where borders of regions run through them, so the share of distinct windows grows
# with the size of the window and falls with the size of the map: it is `reach / side` times a
# factor that hardly depends on the map's size. For SPADEs at 64 x 64 to 256 x 256, this factor is 3
# to 5 for most maps of COCO-Stuff (with edges) and CamVid, at most 11, and at most 7 for batches of
# four (`benchmarks/patterns` counts the maps that fit). If half a table is enough, only that half
# is computed.
ROOM = 12.0


@dataclasses.dataclass(frozen=True, eq=False)
class BoundedPatterns(Segmap):
    """Patterns in tables of fixed length, in which they may not fit.

    At run time, a layer computes with half of each table, the whole table, or the one-hot map. Only
    the selected one of the three is computed.

    Args:
        patterns: `Patterns`, whose tables may be longer or shorter than the number of patterns.
        ids: int32 `(batch, height, width)`; the one-hot map is `patterns.pixels[ids]`.
        fit: int32 `()`: 0 if the patterns fit in the first half of each table, 1 if they fit in the
            whole table, 2 if they do not fit.
    """

    patterns: Patterns
    ids: Any
    fit: Any

    def compute(self, function: SegmapFunction) -> list[Tensor]:
        """See `Segmap`."""
        return self._where_it_fits(lambda segmap: segmap.compute(function))

    def modulate(self, normalized: Any, function: SegmapFunction) -> Tensor:
        """See `Segmap`."""
        return self._where_it_fits(lambda segmap: segmap.modulate(normalized, function))

    def _where_it_fits(self, compute):
        import jax

        def in_half():
            halves = tuple(table[: max(table.shape[0] // 2, 1)] for table in self.patterns.members)
            return compute(dataclasses.replace(self.patterns, members=halves))

        def in_whole():
            return compute(self.patterns)

        def densely():
            return compute(Dense(ops.take(self.patterns.pixels, self.ids, axis=0)))

        branches = [in_half, in_whole, densely]
        if not isinstance(self.fit, jax.core.Tracer):
            return branches[int(self.fit)]()
        # The gradient recomputes the branch: otherwise JAX allocates memory for every branch.
        return ops.switch(self.fit, [keras.remat(branch) for branch in branches])

    def tensors(self) -> dict[str, Tensor]:
        """The dict of tensors that Keras layers exchange, as `LabelPatterns` returns it."""
        return self.patterns.tensors() | {"ids": self.ids, "fit": self.fit}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The inverse of `tensors`."""
        return cls(Patterns.from_tensors(tensors), tensors["ids"], tensors["fit"])


def table_share(
    size: Sequence[int], windows: Sequence[tuple[int, int]], must_fit: bool = False
) -> float:
    """Rows of the tables of distinct windows as a share of the output pixels; at most 1.

    Args:
        size: height and width of the label map.
        windows: `(kernel_size, strides)` of each window of the chain.
        must_fit: whether there are too many classes for the one-hot map.

    Returns:
        A float.
    """
    reach, step = 1, 1
    for kernel_size, strides in windows:
        reach, step = reach + (kernel_size - 1) * step, step * strides
    return 1.0 if must_fit else min(ROOM * reach / min(size), 1.0)


def find_bounded_patterns(
    ids: Tensor, id_bits: int, pixels: Tensor, windows: Sequence[tuple[int, int]]
) -> Segmap:
    """`BoundedPatterns` of a map of ids, or `Patterns` if there is a row for each pixel."""
    batch, *size = ids.shape
    share = table_share(size, windows, is_integer(pixels))
    if share < 1 and not isinstance(batch, int):
        return BoundedPatterns(_no_patterns(ids, pixels, windows), ids, ops.array(2, "int32"))
    tables, index, fit = [], ids, 0
    for level, (kernel_size, strides) in enumerate(windows):
        below = index + 1 if level else ids
        members, index, count = bounded_windows(below, id_bits, kernel_size, strides, share)
        length = members.shape[0]
        id_bits = length.bit_length() if isinstance(length, int) else INDEX_BITS
        tables.append(members)
        if share < 1:
            # If the windows of the level below did not fit, indices and counts are meaningless, but
            # `fit` never decreases.
            bounds = (max(length // 2, 1), length)
            fit = ops.maximum(fit, sum(ops.cast(count > bound, "int32") for bound in bounds))
    patterns = Patterns(tuple(tables), index, pixels)
    return BoundedPatterns(patterns, ids, fit) if share < 1 else patterns


def found_bounded_patterns(
    tables: Mapping[str, Tensor], ids: Tensor, pixels: Tensor, windows: Sequence[tuple[int, int]]
) -> Segmap:
    """`find_bounded_patterns` with the tables of `search_on_host`, which says whether they fit.

    A layer then has one way to compute, which is known while JAX traces.
    """
    share = table_share(ids.shape[1:], windows, is_integer(pixels))
    patterns = _no_patterns(ids, pixels, windows)
    if tables:
        members = tuple(tables[f"members_{level}"] for level in range(len(windows)))
        patterns = Patterns(members, tables["index"], pixels)
    return BoundedPatterns(patterns, ids, _constant(1 if tables else 2)) if share < 1 else patterns


def _constant(number):
    """A scalar whose value is known while JAX traces."""
    import jax

    with jax.ensure_compile_time_eval():
        return jax.numpy.asarray(number, "int32")


def _no_patterns(ids, pixels, windows):
    """A placeholder for patterns that do not fit, or are not searched as in an export."""
    batch, *size = ids.shape
    for kernel_size, strides in windows:
        size = [window_count(length, kernel_size, strides) for length in size]
    members = tuple(ops.zeros((1, kernel_size**2), "int32") for kernel_size, _ in windows)
    return Patterns(members, ops.zeros((batch, *size), "int32"), pixels)
