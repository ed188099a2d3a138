"""The residual block of the generator."""

from typing import Any

import keras
from keras import ops

from keras_spade.arguments import positive_integer
from keras_spade.layers.composite import Composite
from keras_spade.layers.initializers import xavier_normal
from keras_spade.layers.leaky_relu import leaky_relu
from keras_spade.layers.small_map_conv2d import SmallMapConv2D
from keras_spade.layers.spade import SPADE
from keras_spade.layers.spectral_norm import SpectralNorm
from keras_spade.segmaps import SegmapReader


@keras.saving.register_keras_serializable(package="keras_spade")
class SPADEResBlock(Composite):
    """Residual block in which every normalisation is a SPADE.

    `y = shortcut(x) + conv_1(act(SPADE_1(conv_0(act(SPADE_0(x))))))`, `act` a leaky ReLU of slope
    0.2, with 3 x 3 convolutions and `min(channels, filters)` channels between them. The shortcut is
    `x` itself, or, if the number of channels changes, `conv_s(SPADE_s(x))` with a 1 x 1 convolution
    without bias and without activation.

    Args:
        filters: output channels.
        norm: `"sync_batch"`, `"batch"` or `"instance"`, see `FeatureNorm`.
        kernel_size: of the convolutions inside the SPADEs; odd.
        hidden_filters: hidden channels of the SPADEs.
        num_classes: number of one-hot channels, for integer labels.
        spectral_norm: whether the block's own convolutions are spectrally normalised.
        modulation: `"patterns"`, `"dense"` or `"auto"`, see `SPADE`.
        initial_gain: factor of the Xavier-normal initial kernels, see `SPADE`.

    Call arguments:
        x: float activations, `(batch, h, w, channels)`.
        segmap: integer labels `(batch, H, W)`, a float map `(batch, H, W, k)` or the result of
            `LabelPatterns`, see `SPADE`.
        edges: optional float 0/1 `(batch, H, W)`, with integer labels only.
        training: passed to norms and spectral norms.

    Returns:
        `(batch, h, w, filters)`.

    Raises:
        ValueError: for bad arguments, or a `segmap` of another rank or dtype, see `SPADE`.

    Example:

    >>> import numpy as np
    >>> from keras_spade import SPADEResBlock
    >>> x = np.random.rand(1, 8, 8, 4).astype("float32")
    >>> labels = np.random.randint(0, 5, (1, 32, 32))
    >>> tuple(SPADEResBlock(6, num_classes=5)(x, labels).shape)
    (1, 8, 8, 6)

    Reference: Park et al. 2019 (arXiv 1903.07291), section 3, figure 4 (left); appendix A,
    figure 11.
    """

    def __init__(
        self,
        filters: int,
        norm: str = "sync_batch",
        kernel_size: int = 3,
        hidden_filters: int = 128,
        num_classes: int | None = None,
        spectral_norm: bool = True,
        modulation: str = "auto",
        initial_gain: float = 0.02,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        filters = positive_integer("`filters`", filters)
        # This checks all four.
        SPADE(norm, kernel_size, modulation=modulation, initial_gain=initial_gain)
        self.filters = filters
        self.norm = norm
        self.kernel_size = kernel_size
        self.hidden_filters = hidden_filters
        self.num_classes = num_classes
        self.spectral_norm = spectral_norm
        self.modulation = modulation
        self.initial_gain = float(initial_gain)

    def build(self, x_shape, segmap_shape, edges_shape=None):
        """Creates SPADEs and convolutions."""
        self.supports_jit = self._reader.supports_jit(segmap_shape)
        channels = x_shape[-1]
        middle = min(channels, self.filters)
        self.learned_shortcut = channels != self.filters
        self.norm_0, self.norm_1 = self._spade("norm_0"), self._spade("norm_1")
        self.conv_0, self.conv_1 = self._conv(middle, "conv_0"), self._conv(self.filters, "conv_1")
        middle_shape = (*x_shape[:3], middle)
        self.norm_0.build(x_shape, segmap_shape, edges_shape)
        self.conv_0.build(x_shape)
        self.norm_1.build(middle_shape, segmap_shape, edges_shape)
        self.conv_1.build(middle_shape)
        if self.learned_shortcut:
            self.norm_s = self._spade("norm_s")
            self.conv_s = self._conv(self.filters, "conv_s", kernel_size=1, use_bias=False)
            self.norm_s.build(x_shape, segmap_shape, edges_shape)
            self.conv_s.build(x_shape)
        self.freeze_parts()

    def _spade(self, name):
        return SPADE(
            norm=self.norm,
            kernel_size=self.kernel_size,
            hidden_filters=self.hidden_filters,
            num_classes=self.num_classes,
            modulation=self.modulation,
            initial_gain=self.initial_gain,
            name=name,
            dtype=self.dtype_policy,
            trainable=self.trainable,
        )

    def _conv(self, filters, name, kernel_size=3, use_bias=True):
        conv = SmallMapConv2D(
            filters,
            kernel_size,
            padding="same",
            data_format="channels_last",
            use_bias=use_bias,
            kernel_initializer=xavier_normal(self.initial_gain),
            name="conv" if self.spectral_norm else name,
            dtype=self.dtype_policy,
            trainable=self.trainable,
        )
        if self.spectral_norm:
            return SpectralNorm(conv, name=name, trainable=self.trainable)
        return conv

    @property
    def _reader(self):
        return SegmapReader(self, windows=((self.kernel_size, 1),) * 2)

    def call(self, x, segmap, edges=None, training=False):
        """Runs both branches and adds them."""
        segmap = self._reader.encode(segmap, edges, ops.shape(x)[1:3])
        moments = None
        if self.learned_shortcut and self.norm_0.feature_norm.uses_moments(training):
            moments = self.norm_0.feature_norm.moments(x)
        y = self.norm_0(x, segmap, training=training, moments=moments)
        y = self._convolve(self.conv_0, leaky_relu(y), training)
        y = self.norm_1(y, segmap, training=training)
        y = self._convolve(self.conv_1, leaky_relu(y), training)
        if self.learned_shortcut:
            x = self.norm_s(x, segmap, training=training, moments=moments)
            x = self._convolve(self.conv_s, x, training)
        return x + y

    def _convolve(self, conv, x, training):
        return conv(x, training=training) if self.spectral_norm else conv(x)

    def compute_output_spec(self, x, segmap, edges=None, training=False):
        """A symbolic output, after the same checks as in `call`."""
        self._reader.check(segmap, edges)
        return keras.KerasTensor((*x.shape[:3], self.filters), dtype=self.compute_dtype)

    def compute_output_shape(self, x_shape, segmap_shape, edges_shape=None):
        """`(batch, h, w, filters)`."""
        return (*x_shape[:3], self.filters)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "norm": self.norm,
            "kernel_size": self.kernel_size,
            "hidden_filters": self.hidden_filters,
            "num_classes": self.num_classes,
            "spectral_norm": self.spectral_norm,
            "modulation": self.modulation,
            "initial_gain": self.initial_gain,
        }
