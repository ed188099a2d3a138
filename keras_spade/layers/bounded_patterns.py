"""Label patterns within fixed shapes, for JAX: tables of a length that is known beforehand.

JAX compiles for shapes, so a table cannot have as many rows as there are patterns. Here it has as
many as a rule of the map's size says. Patterns are counted too, and where they do not go into the
table, layers convolve the one-hot map instead: the result is exact in any case.
"""

import keras
from keras import ops

from keras_spade.layers.bounded_windows import bounded_windows
from keras_spade.layers.distinct_windows import INDEX_BITS, window_count

# What tells windows apart are the borders of regions that run through them, so the share of
# distinct ones grows with the window and falls with the map: `reach / side`, times a number that
# hardly depends on the map's size. For SPADEs at 64 x 64 to 256 x 256 it is 3 to 5 for most maps of
# COCO-Stuff (with edges) and CamVid, at most 11, and at most 7 for batches of four
# (`benchmarks/jax_patterns.py` counts what fits). Where half a table is enough, half is computed.
ROOM = 12.0


def table_share(size, windows):
    """Rows of the tables of distinct windows, as a share of the output pixels; at most 1.

    Args:
        size: height and width of the label map.
        windows: `(kernel_size, strides)` of each window of the chain.

    Returns:
        A float.
    """
    reach, step = 1, 1
    for kernel_size, strides in windows:
        reach, step = reach + (kernel_size - 1) * step, step * strides
    return min(ROOM * reach / min(size), 1.0)


def bounded_patterns(ids, id_bits, windows):
    """The numbered windows of a chain, and how they fit; see `LabelPatterns`."""
    batch, *size = ids.shape
    share = table_share(size, windows)
    if share < 1 and not isinstance(batch, int):
        return {"ids": ids, "fit": ops.array(2, "int32")} | _no_patterns(batch, size, windows)
    patterns, index, fit = {}, ids, 0
    for level, (kernel_size, strides) in enumerate(windows):
        below = index + 1 if level else ids
        members, index, count = bounded_windows(below, id_bits, kernel_size, strides, share)
        length = members.shape[0]
        id_bits = length.bit_length() if isinstance(length, int) else INDEX_BITS
        patterns[f"members_{level}"] = members
        if share < 1:
            # Where windows below did not fit, numbers and counts mean nothing, but it stays so.
            bounds = (max(length // 2, 1), length)
            fit = ops.maximum(fit, sum(ops.cast(count > bound, "int32") for bound in bounds))
    patterns["index"] = index
    return patterns | {"ids": ids, "fit": fit} if share < 1 else patterns


def _no_patterns(batch, size, windows):
    """What stands in for patterns where the number of label maps is open, as in an export."""
    found = {}
    for level, (kernel_size, strides) in enumerate(windows):
        found[f"members_{level}"] = ops.zeros((1, kernel_size**2), "int32")
        size = [window_count(length, kernel_size, strides) for length in size]
    return found | {"index": ops.zeros((batch, *size), "int32")}


def by_fit(patterns, by_patterns, by_map):
    """What a layer computes from patterns, if all are in the tables, or else from the one-hot map.

    Of the two, and of half a table and a whole one, only what is needed is computed.

    Args:
        patterns: as `LabelPatterns` gives them.
        by_patterns: called with patterns, gives a tensor.
        by_map: called with the one-hot map, gives the same.

    Returns:
        The tensor.
    """
    if "fit" not in patterns:
        return by_patterns(patterns)
    import jax

    def in_half():
        halves = {
            key: x[: max(x.shape[0] // 2, 1)] for key, x in patterns.items() if "members" in key
        }
        return by_patterns(patterns | halves)

    def in_whole():
        return by_patterns(patterns)

    def densely():
        return by_map(ops.take(patterns["pixels"], patterns["ids"], axis=0))

    branches = [in_half, in_whole, densely]
    if not isinstance(patterns["fit"], jax.core.Tracer):
        return branches[int(patterns["fit"])]()
    # The gradient computes the branch again: JAX would keep room for what each of them holds.
    return ops.switch(patterns["fit"], [keras.remat(branch) for branch in branches])
