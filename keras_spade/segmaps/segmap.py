"""What a layer may ask of a label map, whatever form it has."""

import abc


class Segmap(abc.ABC):
    """A label map at one resolution, as layers compute with it.

    They ask for functions of it. A function is an object with two methods that give the same
    numbers:

    - `of_map(segmap)`: by convolutions of a map `(batch, H, W, channels)`, a list of maps
      `(batch, h, w, filters)`;
    - `of_patterns(pixels, members)`: from what `LabelPatterns` gives under these names, a list of
      tensors `(patterns, filters)`, a row for each pattern.
    """

    @abc.abstractmethod
    def compute(self, function):
        """Computes a function of the label map.

        Args:
            function: an object as above.

        Returns:
            A list of its maps, `(batch, h, w, filters)`.
        """

    @abc.abstractmethod
    def modulate(self, normalized, function):
        """Computes `normalized * gain + bias`.

        Args:
            normalized: activations `(batch, h, w, channels)`, as `FeatureNorm.parts` gives them.
            function: an object as above, whose two maps are gain and bias.

        Returns:
            The activations in the dtype of gain and bias.
        """
