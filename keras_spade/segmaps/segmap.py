"""The interface of label maps, independent of their form."""

import abc
from typing import Any

from keras_spade.segmaps.segmap_function import SegmapFunction
from keras_spade.tensor import Tensor


class Segmap(abc.ABC):
    """A label map at one resolution, of which layers compute a `SegmapFunction`."""

    @abc.abstractmethod
    def compute(self, function: SegmapFunction) -> list[Tensor]:
        """The maps of a function, a list of `(batch, h, w, filters)`."""

    @abc.abstractmethod
    def modulate(self, normalized: Any, function: SegmapFunction) -> Tensor:
        """`normalized * gain + bias` in the dtype of gain and bias, the maps of a function.

        `normalized` are activations `(batch, h, w, channels)`, as `FeatureNorm.parts` returns them.
        """
