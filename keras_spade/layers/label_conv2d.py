"""A convolution that reads labels, and perhaps an image behind them."""

import keras
from keras import ops

from keras_spade.layers.bounded_patterns import by_fit
from keras_spade.layers.distinct_windows import window_count
from keras_spade.layers.half_pool import half_pool, half_size
from keras_spade.layers.lean_gradients import pick_rows
from keras_spade.layers.modulation import check_modulation
from keras_spade.layers.pattern_convolution import convolve_labels, half_pool_pixels
from keras_spade.layers.segmap import (
    check_segmap,
    encode_segmap,
    rows_from,
    searches_patterns,
    segmap_channels,
)

FIXED = ("padding", "data_format", "dilation_rate", "groups")


@keras.saving.register_keras_serializable(package="keras_spade")
class LabelConv2D(keras.layers.Conv2D):
    """Convolution over a label map, with an image concatenated behind it if one is given.

    The kernel has the channels of the one-hot map, then those of the image. Convolution is linear,
    so the two parts are convolved apart: the labels by their patterns (see `LabelPatterns`),
    without a one-hot tensor; and once for all images of the same labels, say a fake and a real one.
    Pads by `kernel_size // 2`.

    Args:
        filters: output channels.
        kernel_size: an int.
        strides: an int.
        num_classes: number of one-hot channels if integer labels come in.
        halvings: how many times the label map goes through `HalfPool` first. The image comes
            pooled.
        modulation: `"patterns"`, `"dense"` or `"auto"`, see `SPADE`.
        **kwargs: see `keras.layers.Conv2D`; `padding`, `data_format`, `dilation_rate` and `groups`
            cannot be set.

    Call arguments:
        segmap: integer labels `(batch, H, W)` or a float map `(batch, H, W, k)`; or what
            `LabelPatterns` gives for windows `((3, 2),) * halvings + ((kernel_size, strides),)`.
        image: optional float `(n * batch, h, w, channels)`, `h` and `w` the size of the label map
            after the halvings; the first `batch` images belong to the label maps in turn, and so
            do the next.

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

    Reference: Park et al. 2019 (arXiv 1903.07291), appendix A, figures 12 and 13.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        num_classes=None,
        halvings=0,
        modulation="auto",
        **kwargs,
    ):
        check_modulation(modulation)
        for argument in FIXED:
            if argument in kwargs:
                raise ValueError(f"LabelConv2D: `{argument}` cannot be set.")
        for argument, value in (("kernel_size", kernel_size), ("strides", strides)):
            if not isinstance(value, int):
                raise ValueError(f"LabelConv2D: `{argument}` must be an int, got {value!r}.")
        super().__init__(
            filters, kernel_size, strides=strides, data_format="channels_last", **kwargs
        )
        self.num_classes = num_classes
        self.halvings = halvings
        self.modulation = modulation
        self.input_spec = None

    def build(self, segmap_shape, image_shape=None):
        """Creates kernel and bias."""
        self.supports_jit = not searches_patterns(segmap_shape, self)
        self.map_channels = segmap_channels(segmap_shape, None, self.num_classes)
        image_channels = 0 if image_shape is None else image_shape[-1]
        super().build((None, None, None, self.map_channels + image_channels))
        self.input_spec = None

    def call(self, segmap, image=None):
        """Convolves labels and image."""
        windows = ((3, 2),) * self.halvings + ((self.kernel_size[0], self.strides[0]),)
        size = None if isinstance(segmap, dict) else ops.shape(segmap)[1:3]
        segmap = encode_segmap(segmap, None, size, windows, self)
        if isinstance(segmap, dict):
            y = by_fit(segmap, self._of_patterns, self._of_map)
        else:
            y = self._of_map(segmap)
        if image is not None:
            of_image = self._convolve(image, self.kernel[:, :, self.map_channels :])
            # The images' batch is a multiple of the labels'.
            shape = ops.shape(of_image)
            y = ops.reshape(ops.reshape(of_image, (-1, *ops.shape(y))) + y, shape)
        return self.activation(y + self.bias if self.use_bias else y)

    def _of_patterns(self, patterns):
        (rows,) = rows_from(patterns, self._pattern_rows, lambda segmap: [self._of_map(segmap)])
        return pick_rows(rows, patterns["index"])

    def _of_map(self, segmap):
        for _ in range(self.halvings):
            segmap = half_pool(segmap)
        return self._convolve(segmap, self.kernel[:, :, : self.map_channels])

    def _convolve(self, x, kernel):
        pad = self.kernel_size[0] // 2
        x = ops.pad(ops.cast(x, self.compute_dtype), [[0, 0], [pad, pad], [pad, pad], [0, 0]])
        return ops.conv(x, kernel, strides=self.strides, padding="valid")

    def _pattern_rows(self, patterns):
        pixels = patterns["pixels"]
        for level in range(self.halvings):
            pixels = half_pool_pixels(pixels, patterns[f"members_{level}"])
        kernel = self.kernel[:, :, : self.map_channels]
        return [convolve_labels(kernel, pixels, patterns[f"members_{self.halvings}"])]

    def compute_output_spec(self, segmap, image=None):
        """A symbolic output, after the checks of the real one."""
        check_segmap(segmap, None, self.num_classes, self.name)
        if isinstance(segmap, dict):
            batch, height, width = segmap["index"].shape
        else:
            batch, height, width = segmap.shape[:3]
            for _ in range(self.halvings):
                height, width = half_size(height), half_size(width)
            kernel_size, strides = self.kernel_size[0], self.strides[0]
            height, width = (window_count(size, kernel_size, strides) for size in (height, width))
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
