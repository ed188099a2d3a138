"""What generator and discriminator share: their conditioning inputs, encoded once a resolution."""

import keras

from keras_spade.arguments import positive_integer, positive_integers
from keras_spade.segmaps import check_modulation, segmap_layer


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
        check_modulation(modulation)
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

    def at(self, height, width, windows):
        """What layers with these windows read at one resolution, made at the first request."""
        layer = segmap_layer(height, width, self.num_classes, windows, self.modulation, self.dtype)
        if layer.name not in self.encoded:
            self.encoded[layer.name] = layer(*self.inputs.values())
        return self.encoded[layer.name]


def check_image_shape(image_shape):
    """Returns `image_shape` as a tuple of three ints, or raises."""
    wanted = "(height, width, channels), positive integers"
    return positive_integers("`image_shape`", image_shape, 3, wanted)
