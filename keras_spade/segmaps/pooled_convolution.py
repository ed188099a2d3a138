"""A convolution of the label map after any number of poolings."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_spade.backends.layers import convolve
from keras_spade.segmaps.half_pool import half_pool
from keras_spade.segmaps.pattern_convolution import convolve_pooled_labels
from keras_spade.tensor import Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class PooledConvolution:
    """Poolings and a convolution, as a function of a `Segmap`.

    Args:
        kernel: `(k, k, channels, filters)`.
        strides: strides of the convolution.
        halvings: how often the map is pooled first (`half_pool`).
    """

    kernel: Any
    strides: int = 1
    halvings: int = 0

    def of_map(self, segmap: Tensor) -> list[Tensor]:
        """See `Segmap`."""
        for _ in range(self.halvings):
            segmap = half_pool(segmap)
        return [padded_convolution(segmap, self.kernel, self.strides)]

    def of_patterns(self, pixels: Tensor, members: Sequence[Tensor]) -> list[Tensor]:
        """See `Segmap`."""
        *pooled, convolved = members
        return [convolve_pooled_labels(self.kernel, pixels, pooled, convolved)]


def padded_convolution(x: Tensor, kernel: Tensor, strides: int = 1) -> Tensor:
    """A convolution with a padding of half the kernel's size, rounded down, on all sides.

    Args:
        x: `(batch, H, W, channels)`, cast to the kernel's dtype.
        kernel: `(k, k, channels, filters)`.
        strides: an int.

    Returns:
        `(batch, h, w, filters)`.
    """
    x = ops.cast(x, kernel.dtype)
    return convolve(x, kernel, strides=strides, padding=kernel.shape[0] // 2)
