"""What generator and discriminator share: their conditioning inputs, encoded once a resolution."""

import operator

import keras

from keras_spade.layers import ConditioningMap, LabelPatterns
from keras_spade.layers.modulation import resolve_modulation


class Conditioning:
    """The symbolic conditioning inputs of one network, and what its layers read of them.

    That is, at each resolution, the label patterns for a chain of windows, or a float map.
    """

    def __init__(self, num_classes, void_class, instance_edges, conditioning, modulation, dtype):
        if num_classes < 1:
            raise ValueError(f"`num_classes` must be at least 1, got {num_classes!r}.")
        if conditioning not in ("labels", "dense"):
            raise ValueError(f'`conditioning` must be "labels" or "dense", got {conditioning!r}.')
        if conditioning == "dense" and (void_class or instance_edges):
            raise ValueError(
                '`conditioning="dense"` takes a float map of `num_classes` channels as it is: '
                "`void_class` and `instance_edges` must be False."
            )
        self.dtype = dtype
        self.modulation = resolve_modulation(modulation)
        self.maps = {}
        if conditioning == "dense":
            self.num_classes = None
            shape = (None, None, num_classes)
            self.inputs = {"segmap": keras.Input(shape, name="segmap")}
        else:
            self.num_classes = num_classes + bool(void_class)
            self.inputs = {"labels": keras.Input((None, None), dtype="int32", name="labels")}
            if instance_edges:
                self.inputs["edges"] = keras.Input((None, None), name="edges")

    def at(self, height, width, windows):
        """What layers with these windows read at one resolution, made at the first request."""
        by_patterns = self.modulation != "dense" and self.num_classes is not None
        key = (height, width, windows if by_patterns else None)
        if key not in self.maps:
            self.maps[key] = self._encode(height, width, windows if by_patterns else None)
        return self.maps[key]

    def _encode(self, height, width, windows):
        if windows is None:
            layer = ConditioningMap(
                height,
                width,
                self.num_classes,
                name=f"conditioning_{height}x{width}",
                dtype=self.dtype,
            )
        else:
            sizes = "_".join(f"{size}s{strides}" for size, strides in windows)
            layer = LabelPatterns(
                height,
                width,
                self.num_classes,
                windows,
                self.modulation,
                name=f"patterns_{height}x{width}_{sizes}",
                dtype=self.dtype,
            )
        if self.num_classes is None:
            return layer(self.inputs["segmap"])
        return layer(self.inputs["labels"], self.inputs.get("edges"))


def check_image_shape(image_shape):
    """Returns `image_shape` as a tuple of three ints, or raises."""
    return check_sizes("image_shape", image_shape, "(height, width, channels)")


def check_sizes(argument, sizes, wanted):
    """Returns as many positive ints as the words of `wanted` name, or raises."""
    count = wanted.split(")")[0].count(",") + 1
    try:
        checked = tuple(operator.index(size) for size in sizes)
    except TypeError:
        checked = ()
    if len(checked) != count or min(checked) < 1:
        raise ValueError(f"`{argument}` must be {wanted}, positive integers, got {sizes!r}.")
    return checked
