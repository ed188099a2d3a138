"""Label maps that layers convolve."""

import dataclasses
from typing import Any

from keras import ops

from keras_spade.backends.layers import multiply_and_add
from keras_spade.segmaps.segmap import Segmap
from keras_spade.segmaps.segmap_function import SegmapFunction
from keras_spade.tensor import Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class Dense(Segmap):
    """A float map, one-hot or not.

    Args:
        map: `(batch, height, width, channels)`.
    """

    map: Any

    def compute(self, function: SegmapFunction) -> list[Tensor]:
        """See `Segmap`."""
        return function.of_map(self.map)

    def modulate(self, normalized: Any, function: SegmapFunction) -> Tensor:
        """See `Segmap`."""
        gain, bias = function.of_map(self.map)
        return multiply_and_add(ops.cast(normalized.assembled(), gain.dtype), gain, bias)
