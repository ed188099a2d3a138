"""The interface of label maps, independent of their form."""

import abc


class Segmap(abc.ABC):
    """A label map at one resolution, of which layers compute functions.

    A function is an object with two methods that give the same numbers:

    - `of_map(segmap)`: convolves a map `(batch, H, W, channels)`; returns a list of maps
      `(batch, h, w, filters)`;
    - `of_patterns(pixels, members)`: takes the tensors of `LabelPatterns` with these names (for
      very many classes `"channels"` as `pixels`); returns a list of tensors `(patterns, filters)`,
      one row for each pattern.
    """

    @abc.abstractmethod
    def compute(self, function):
        """The maps of a function, a list of `(batch, h, w, filters)`."""

    @abc.abstractmethod
    def modulate(self, normalized, function):
        """`normalized * gain + bias` in the dtype of gain and bias, the maps of a function.

        `normalized` are activations `(batch, h, w, channels)`, as `FeatureNorm.parts` returns them.
        """
