"""What generator and discriminator share: their conditioning inputs, encoded once a resolution."""

import operator

import keras

from keras_spade.layers import ConditioningMap


class Conditioning:
    """The symbolic conditioning inputs of one network, and their maps by resolution."""

    def __init__(self, num_classes, void_class, instance_edges, conditioning, dtype):
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

    def at(self, height, width):
        """The map at one resolution, made from the full resolution at the first request."""
        if (height, width) not in self.maps:
            layer = ConditioningMap(
                height,
                width,
                self.num_classes,
                name=f"conditioning_{height}x{width}",
                dtype=self.dtype,
            )
            if self.num_classes is None:
                self.maps[height, width] = layer(self.inputs["segmap"])
            else:
                self.maps[height, width] = layer(self.inputs["labels"], self.inputs.get("edges"))
        return self.maps[height, width]


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
