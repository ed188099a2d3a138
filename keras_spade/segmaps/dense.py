"""Label maps that layers convolve."""

import dataclasses
from typing import Any

from keras import ops

from keras_spade.backends.layers import multiply_and_add
from keras_spade.segmaps.segmap import Segmap


@dataclasses.dataclass(frozen=True, eq=False)
class Dense(Segmap):
    """A float map, one-hot or not.

    Args:
        map: `(batch, height, width, channels)`.
    """

    map: Any

    def compute(self, function):
        """See `Segmap`."""
        return function.of_map(self.map)

    def modulate(self, normalized, function):
        """See `Segmap`."""
        gain, bias = function.of_map(self.map)
        return multiply_and_add(ops.cast(normalized.assembled(), gain.dtype), gain, bias)
