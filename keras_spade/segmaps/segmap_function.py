"""The interface of functions of label maps, independent of their form."""

from collections.abc import Sequence
from typing import Protocol

from keras_spade.tensor import Tensor


class SegmapFunction(Protocol):
    """A function of a `Segmap`: two methods that give the same numbers."""

    def of_map(self, segmap: Tensor) -> list[Tensor]:
        """Convolves a map `(batch, H, W, channels)`; a list of maps `(batch, h, w, filters)`."""

    def of_patterns(self, pixels: Tensor, members: Sequence[Tensor]) -> list[Tensor]:
        """The same of each pattern, a list of tensors `(patterns, filters)`, one row a pattern.

        Args:
            pixels: of `LabelPatterns`; for very many classes its `"channels"`.
            members: of `LabelPatterns`.
        """
