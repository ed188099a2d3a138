"""The conditioning inputs of generator and discriminator, encoded once per resolution."""

import copy
from collections.abc import Callable, Sequence
from typing import Self

import keras

from keras_spade.arguments import positive_integer, positive_integers
from keras_spade.layers import RepeatMaps
from keras_spade.networks._settings import checked_policy
from keras_spade.precision import full_precision_dtype
from keras_spade.segmaps import ConditioningMap, LabelPatterns, resolve_modulation
from keras_spade.tensor import Tensor


class Conditioning:
    """The symbolic conditioning inputs of one network, and their encodings for its layers.

    At each resolution, these are the label patterns for a chain of windows, or a float map. With
    this class, your own `Generator` takes the same inputs as `SPADEGenerator`.

    Args:
        num_classes: number of label classes, excluding the void class; channels of the float
            map with `conditioning="dense"`.
        image_shape: `(height, width, channels)` of the images.
        void_class: whether an additional class, id `num_classes`, means "don't care".
        instance_edges: whether there is an input `"edges"`.
        conditioning: `"labels"`, or `"dense"` for a float map under the key `"segmap"`.
        modulation: how label maps are convolved, `"auto"`, `"patterns"` or `"dense"`; see `SPADE`.
        dtype: policy of the network; `None`: Keras' current policy.

    Attributes:
        inputs: symbolic inputs by name; a network adds its own to a copy.
        num_classes: `num_classes` of its layers, including the void class; `None` for float maps.
        image_shape: the argument as a tuple.
        dtype: the policy of its layers.
        image_dtype: of the layer that outputs the image or the logits: float32 under every mixed
            policy.

    Raises:
        ValueError: for bad arguments, and for unsupported settings of Keras.

    Example:

    >>> from keras_spade.layers import LabelConv2D
    >>> from keras_spade.networks import Conditioning
    >>> condition = Conditioning(num_classes=4, image_shape=(32, 64, 3))
    >>> conv = LabelConv2D(8, 3, num_classes=condition.num_classes)
    >>> tuple(conv(condition.at(16, 32, windows=((3, 1),))).shape)
    (None, 16, 32, 8)
    """

    def __init__(
        self,
        num_classes: int,
        image_shape: tuple[int, int, int],
        void_class: bool = False,
        instance_edges: bool = False,
        conditioning: str = "labels",
        modulation: str = "auto",
        dtype: str | keras.DTypePolicy | None = None,
    ):
        self.dtype = checked_policy(dtype)
        self.image_dtype = full_precision_dtype(self.dtype.variable_dtype)
        self.image_shape = check_image_shape(image_shape)
        positive_integer("`num_classes`", num_classes)
        if conditioning not in ("labels", "dense"):
            raise ValueError(f'`conditioning` must be "labels" or "dense", got {conditioning!r}.')
        if conditioning == "dense" and (void_class or instance_edges):
            raise ValueError(
                '`conditioning="dense"` reads a float map of `num_classes` channels unchanged: '
                "`void_class` and `instance_edges` must be False."
            )
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

    def at(
        self, height: int, width: int, windows: Sequence[tuple[int, int]]
    ) -> Tensor | dict[str, Tensor]:
        """Returns the encoding for layers with these windows at one resolution, made on first use.

        Args:
            height: rows of the label map, resized by nearest neighbours.
            width: its columns.
            windows: kernel size and strides of each convolution, as `LabelPatterns` takes them.
        """
        windows = None if self.dense else tuple(windows)
        return self._encoded(height, width, windows)

    def for_images(self, images: Tensor) -> Self:
        """Returns the same for `n` stacks of images, with the label maps repeated.

        Args:
            images: symbolic, `(n * batch, ...)`.
        """
        return self.through(
            lambda name, maps: RepeatMaps(name=f"repeated_{name}", dtype=self.dtype)(maps, images)
        )

    def through(self, layer: Callable[[str, Tensor], Tensor]) -> Self:
        """Returns the same after applying a step to all inputs.

        Args:
            layer: function of an input's name and the symbolic input that returns a new input.
        """
        changed = copy.copy(self)
        changed.encoded = {}
        changed.inputs = {name: layer(name, maps) for name, maps in self.inputs.items()}
        return changed

    def map_at(self, height: int, width: int) -> Tensor:
        """Returns the one-hot or float map `(batch, height, width, channels)` at one resolution."""
        return self._encoded(height, width, None)

    def _encoded(self, *key):
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


def check_image_shape(image_shape: Sequence[int]) -> tuple[int, ...]:
    """Returns `image_shape` as a tuple of three ints, or raises."""
    wanted = "(height, width, channels), positive integers"
    return positive_integers("`image_shape`", image_shape, 3, wanted)
