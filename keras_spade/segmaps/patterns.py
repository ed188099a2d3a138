"""Label maps for which layers compute each distinct pattern once."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import keras
from keras import ops

from keras_spade.precision import full_precision_dtype
from keras_spade.segmaps.dense import Dense
from keras_spade.segmaps.nearest_resize import is_integer
from keras_spade.segmaps.rows import after, pick_and_modulate, pick_rows
from keras_spade.segmaps.segmap import Segmap
from keras_spade.segmaps.segmap_function import SegmapFunction
from keras_spade.tensor import Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class Patterns(Segmap):
    """The distinct windows of a label map, and the one that each pixel sees.

    Args:
        members: for each window of the chain, int32 `(patterns, kernel_size**2)`.
        index: int32 `(batch, h, w)`.
        pixels: `(ids, channels)`, or int32 `(ids, 1 or 2)`, their channels that are 1.
        dense: `None`, or the one-hot map, whose pixels `index` numbers after the patterns. `index`
            selects rows of only one of the two, so layers join both without control flow.

    `LabelPatterns` finds them.
    """

    members: tuple[Any, ...]
    index: Any
    pixels: Any
    dense: Dense | None = None

    def compute(self, function: SegmapFunction) -> list[Tensor]:
        """See `Segmap`."""
        return [pick_rows(rows, self.index) for rows in self._rows(function)]

    def modulate(self, normalized: Any, function: SegmapFunction) -> Tensor:
        """See `Segmap`."""
        value, scale, offset = normalized
        later = dataclasses.replace(
            self,
            members=tuple(after(value, members) for members in self.members),
            index=after(value, self.index),
        )
        gain, bias = later._rows(function)
        dtype = keras.backend.standardize_dtype(gain.dtype)
        if scale is None:
            pass  # Already normalised.
        elif len(scale.shape) == 1 and dtype == full_precision_dtype(dtype):
            # Apply scale and offset of the norm to the rows: fewer passes over the activations.
            bias = bias if offset is None else bias + offset * gain
            gain = gain * scale
        else:
            # Instance norm has one scale per image, and 16 bits are not enough for activations that
            # are not normalised first.
            value = normalized.assembled()
        return pick_and_modulate(ops.cast(value, dtype), gain, bias, later.index)

    def _rows(self, function):
        """The rows that `index` selects from, a tensor `(rows, filters)` for each map."""
        rows = function.of_patterns(self.pixels, self.members)
        if self.dense is None:
            return rows
        maps = self.dense.compute(function)
        pairs = zip(rows, [ops.reshape(x, (-1, x.shape[-1])) for x in maps], strict=True)
        return [ops.concatenate(pair, axis=0) for pair in pairs]

    def tensors(self) -> dict[str, Tensor]:
        """The dict of tensors that Keras layers exchange, as `LabelPatterns` returns it."""
        listed = is_integer(self.pixels)
        found = {f"members_{level}": members for level, members in enumerate(self.members)}
        found |= {"index": self.index, "channels" if listed else "pixels": self.pixels}
        return found if self.dense is None else found | {"map": self.dense.map}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The inverse of `tensors`."""
        levels = sum(name.startswith("members_") for name in tensors)
        members = tuple(tensors[f"members_{level}"] for level in range(levels))
        dense = Dense(tensors["map"]) if "map" in tensors else None
        return cls(members, tensors["index"], tensors[_pixels_key(tensors)], dense)


def channels_of(shapes: Mapping[str, tuple]) -> int:
    """Channels of the one-hot map, from the shapes of the tensors of `LabelPatterns`."""
    key = _pixels_key(shapes)
    ids, last = shapes[key]
    if key == "pixels":
        return last
    return ids - 2 if last == 1 else (ids - 1) // 2


def _pixels_key(tensors):
    """The key of `Patterns.pixels` among the tensors of `LabelPatterns`."""
    return "channels" if "channels" in tensors else "pixels"
