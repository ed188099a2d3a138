"""A convolution over labels, optionally concatenated with an image."""

from typing import Any

import keras
from keras import ops

from keras_spade.arguments import positive_integer
from keras_spade.segmaps import (
    PooledConvolution,
    SegmapReader,
    check_modulation,
    padded_convolution,
)

FIXED = ("padding", "data_format", "dilation_rate", "groups")


@keras.saving.register_keras_serializable(package="keras_spade")
class LabelConv2D(keras.layers.Conv2D):
    """Convolution over a label map, optionally concatenated with an image.

    The kernel has the channels of the one-hot map, then those of the image. Convolution is linear,
    so the two parts are convolved separately. Labels are convolved by their patterns (see
    `LabelPatterns`), without a one-hot tensor, and once for all images of the same labels, such as
    a fake and a real one. Pads by `kernel_size // 2`.

    Args:
        filters: output channels.
        kernel_size: an int.
        strides: an int.
        num_classes: number of one-hot channels, for integer labels.
        halvings: how many times `HalfPool` is applied to the label map first. The image must
            already be pooled.
        modulation: `"patterns"`, `"dense"` or `"auto"`, see `SPADE`.
        **kwargs: see `keras.layers.Conv2D`; `padding`, `data_format`, `dilation_rate` and `groups`
            cannot be set.

    Call arguments:
        segmap: integer labels `(batch, H, W)` or a float map `(batch, H, W, k)`; or the result of
            `LabelPatterns` for windows `((3, 2),) * halvings + ((kernel_size, strides),)`.
        image: optional float `(n * batch, h, w, channels)`, `h` and `w` the size of the label map
            after the halvings; each group of `batch` images belongs to the label maps in order.

    Returns:
        `(n * batch, h', w', filters)`.

    Raises:
        ValueError: for bad arguments, or a `segmap` of another rank or dtype.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import LabelConv2D
    >>> labels = np.random.randint(0, 5, (1, 8, 8))
    >>> fake_and_real = np.random.rand(2, 8, 8, 3).astype("float32")
    >>> tuple(LabelConv2D(6, 4, strides=2, num_classes=5)(labels, fake_and_real).shape)
    (2, 5, 5, 6)

    Reference: Park et al. 2019 (arXiv 1903.07291), appendix A, figure 13.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        num_classes: int | None = None,
        halvings: int = 0,
        modulation: str = "auto",
        **kwargs: Any,
    ):
        check_modulation(modulation)
        for argument in FIXED:
            if argument in kwargs:
                raise ValueError(f"LabelConv2D: `{argument}` cannot be set.")
        wanted = "an int of at least 1"
        kernel_size = positive_integer("LabelConv2D: `kernel_size`", kernel_size, wanted)
        strides = positive_integer("LabelConv2D: `strides`", strides, wanted)
        super().__init__(
            filters, kernel_size, strides=strides, data_format="channels_last", **kwargs
        )
        self.num_classes = num_classes
        self.halvings = halvings
        self.modulation = modulation
        self.input_spec = None

    def build(self, segmap_shape, image_shape=None):
        """Creates kernel and bias."""
        self.supports_jit = self._reader.supports_jit(segmap_shape)
        self.map_channels = self._reader.channels(segmap_shape)
        image_channels = 0 if image_shape is None else image_shape[-1]
        super().build((None, None, None, self.map_channels + image_channels))
        self.input_spec = None

    @property
    def _reader(self):
        windows = ((3, 2),) * self.halvings + ((self.kernel_size[0], self.strides[0]),)
        return SegmapReader(self, windows)

    def call(self, segmap, image=None):
        """Convolves labels and image."""
        m = self._reader.read(segmap)
        for_map = self.kernel[:, :, : self.map_channels]
        (y,) = m.compute(PooledConvolution(for_map, self.strides[0], self.halvings))
        if image is not None:
            for_image = self.kernel[:, :, self.map_channels :]
            of_image = padded_convolution(image, for_image, self.strides[0])
            # The images' batch is a multiple of the labels'.
            shape = ops.shape(of_image)
            y = ops.reshape(ops.reshape(of_image, (-1, *ops.shape(y))) + y, shape)
        return self.activation(y + self.bias if self.use_bias else y)

    def compute_output_spec(self, segmap, image=None):
        """A symbolic output, after the same checks as in `call`."""
        self._reader.check(segmap)
        batch, height, width = self._reader.output_shape(segmap)
        batch = batch if image is None else image.shape[0]
        return keras.KerasTensor((batch, height, width, self.filters), dtype=self.compute_dtype)

    def get_config(self):
        """The constructor's arguments."""
        config = super().get_config()
        for argument in FIXED:
            del config[argument]
        return {
            **config,
            "kernel_size": self.kernel_size[0],
            "strides": self.strides[0],
            "num_classes": self.num_classes,
            "halvings": self.halvings,
            "modulation": self.modulation,
        }
