"""What generator and discriminator share: their conditioning inputs, encoded once a resolution."""

import keras

from keras_spade.arguments import positive_integer, positive_integers
from keras_spade.segmaps import ConditioningMap, LabelPatterns, resolve_modulation


class Conditioning:
    """The symbolic conditioning inputs of one network, and what its layers read of them.

    That is, at each resolution, the label patterns for a chain of windows, or a float map.
    """

    def __init__(self, num_classes, void_class, instance_edges, conditioning, modulation, dtype):
        positive_integer("`num_classes`", num_classes)
        if conditioning not in ("labels", "dense"):
            raise ValueError(f'`conditioning` must be "labels" or "dense", got {conditioning!r}.')
        if conditioning == "dense" and (void_class or instance_edges):
            raise ValueError(
                '`conditioning="dense"` takes a float map of `num_classes` channels as it is: '
                "`void_class` and `instance_edges` must be False."
            )
        self.dtype = dtype
        self.modulation = modulation
        self.encoded = {}
        if conditioning == "dense":
            self.num_classes = None
            shape = (None, None, num_classes)
            self.inputs = {"segmap": keras.Input(shape, name="segmap")}
        else:
            self.num_classes = num_classes + bool(void_class)
            self.inputs = {"labels": keras.Input((None, None), dtype="int32", name="labels")}
            if instance_edges:
                self.inputs["edges"] = keras.Input((None, None), name="edges")
        chosen = resolve_modulation(modulation, self.num_classes)
        self.dense = chosen == "dense" or conditioning == "dense"

    def at(self, height, width, windows):
        """What layers with these windows read at one resolution, made at the first request."""
        windows = None if self.dense else tuple(windows)
        key = (height, width, windows)
        if key not in self.encoded:
            self.encoded[key] = self._layer(*key)(*self.inputs.values())
        return self.encoded[key]

    def _layer(self, height, width, windows):
        """`LabelPatterns` for a chain of windows, `ConditioningMap` for `None`."""
        common = {"num_classes": self.num_classes, "dtype": self.dtype}
        if windows is None:
            return ConditioningMap(height, width, name=f"conditioning_{height}x{width}", **common)
        sizes = "_".join(f"{size}s{strides}" for size, strides in windows)
        name = f"patterns_{height}x{width}_{sizes}"
        return LabelPatterns(
            height, width, windows=windows, modulation=self.modulation, name=name, **common
        )


def check_image_shape(image_shape):
    """Returns `image_shape` as a tuple of three ints, or raises."""
    wanted = "(height, width, channels), positive integers"
    return positive_integers("`image_shape`", image_shape, 3, wanted)
