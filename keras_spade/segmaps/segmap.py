"""What a layer may ask of a label map, whatever form it has."""

import abc


class Segmap(abc.ABC):
    """A label map at one resolution, as layers compute with it.

    They ask for functions of it. A function is an object with two methods that give the same
    numbers:

    - `of_map(segmap)`: by convolutions of a map `(batch, H, W, channels)`, a list of maps
      `(batch, h, w, filters)`;
    - `of_patterns(pixels, members)`: from what `LabelPatterns` gives under these names (for very
      many classes `"channels"` as `pixels`), a list of tensors `(patterns, filters)`, a row for
      each pattern.
    """

    @abc.abstractmethod
    def compute(self, function):
        """The maps of a function, a list of `(batch, h, w, filters)`."""

    @abc.abstractmethod
    def modulate(self, normalized, function):
        """`normalized * gain + bias`, gain and bias the maps of a function, in their dtype.

        `normalized` are activations `(batch, h, w, channels)`, as `FeatureNorm.parts` gives them.
        """
