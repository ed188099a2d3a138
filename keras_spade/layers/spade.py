"""Spatially-adaptive (de)normalisation, the paper's central layer."""

from typing import Any

import keras
from keras import ops

from keras_spade.layers.composite import Composite
from keras_spade.layers.feature_norm import FeatureNorm
from keras_spade.layers.initializers import of_label_maps, xavier_normal
from keras_spade.segmaps import GammaAndBeta, SegmapReader, check_modulation


@keras.saving.register_keras_serializable(package="keras_spade")
class SPADE(Composite):
    """Spatially-adaptive normalisation.

    `SPADE(x, m) = norm(x) * (1 + gamma(m)) + beta(m)`, where `norm` has no learned parameters and
    `gamma`, `beta` are maps that two convolutions make from the label map `m`, resized (nearest)
    to the size of `x`: `gamma(m) = conv(relu(conv(m)))`, `beta` likewise with the first
    convolution shared.

    With integer labels, `gamma` and `beta` at a pixel depend only on the few labels around it. The
    layer finds the distinct patterns of labels (`LabelPatterns`) and computes both convolutions
    once per pattern. The result is that of dense convolutions of the one-hot map, at a fraction of
    the work.

    Args:
        norm: `"sync_batch"`, `"batch"` or `"instance"`, see `FeatureNorm`.
        kernel_size: of all three convolutions; odd.
        hidden_filters: channels between the two convolutions.
        num_classes: number of one-hot channels, for integer labels (including the void class);
            not needed for float maps.
        modulation: `"patterns"` as above; `"dense"`: convolutions of the one-hot map, the
            reference; `"auto"`: patterns unless too many are distinct (dense is faster then), and
            dense on GPUs. On JAX, patterns that do not fit in a table of fixed length are convolved
            densely even with `"patterns"`. Float maps are always convolved densely.
        initial_gain: factor of the Xavier-normal initial kernels, see `xavier_normal`. Above the
            authors' 0.02, and with `num_classes`, the kernel that reads the map starts
            `sqrt(num_classes)` times larger, because Glorot's derivation assumes inputs of
            variance 1.

    Call arguments:
        x: float activations, `(batch, h, w, channels)`.
        segmap: integer labels `(batch, H, W)` in `0..num_classes-1`, or any float map (one-hot,
            soft labels, depth ...) `(batch, H, W, k)`, at any resolution. An id outside the range
            is not detected here and sets no channel; `GauGAN` checks. Or the result of
            `LabelPatterns` for the size of `x` and windows `((kernel_size, 1), (kernel_size, 1))`,
            so that several layers share one search.
        edges: optional float 0/1 `(batch, H, W)`, with integer labels only: an additional last
            channel. Omit it with `LabelPatterns`.
        training: passed to the norm.
        moments: `FeatureNorm.moments(x)`, if already computed and used
            (`FeatureNorm.uses_moments`).

    Returns:
        Modulated activations of the same shape as `x`.

    Raises:
        ValueError: for an even `kernel_size`, an unknown `norm` or `modulation`, or a `segmap` of
            another rank or dtype.

    Example:

    >>> import numpy as np
    >>> from keras_spade import SPADE
    >>> x = np.random.rand(1, 8, 8, 4).astype("float32")
    >>> labels = np.random.randint(0, 5, (1, 32, 32))
    >>> tuple(SPADE(num_classes=5)(x, labels).shape)
    (1, 8, 8, 4)

    Reference: Park et al. 2019 (arXiv 1903.07291), section 3, equations 1 to 3; figures 2
    and 10.
    """

    def __init__(
        self,
        norm: str = "sync_batch",
        kernel_size: int = 3,
        hidden_filters: int = 128,
        num_classes: int | None = None,
        modulation: str = "auto",
        initial_gain: float = 0.02,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be odd and positive, got {kernel_size!r}.")
        check_modulation(modulation)
        xavier_normal(initial_gain)  # checks it
        self.norm = norm
        self.kernel_size = kernel_size
        self.hidden_filters = hidden_filters
        self.num_classes = num_classes
        self.modulation = modulation
        self.initial_gain = float(initial_gain)
        self.feature_norm = FeatureNorm(
            norm, name="norm", dtype=self.dtype_policy, trainable=self.trainable
        )

    def build(self, x_shape, segmap_shape, edges_shape=None):
        """Creates the three convolutions."""
        self.supports_jit = self._reader.supports_jit(segmap_shape)
        if len(x_shape) != 4:
            raise ValueError(
                f"SPADE {self.name!r}: `x` must have shape (batch, h, w, channels), "
                f"got {tuple(x_shape)}."
            )
        map_channels = self._reader.channels(segmap_shape, edges_shape)
        self.feature_norm.build(x_shape)
        of_maps = of_label_maps(self.initial_gain, self.num_classes)
        self.shared = self._conv(self.hidden_filters, "shared", of_maps, activation="relu")
        self.gamma = self._conv(x_shape[-1], "gamma", xavier_normal(self.initial_gain))
        self.beta = self._conv(x_shape[-1], "beta", xavier_normal(self.initial_gain))
        self.shared.build((*x_shape[:3], map_channels))
        self.gamma.build((*x_shape[:3], self.hidden_filters))
        self.beta.build((*x_shape[:3], self.hidden_filters))
        self.freeze_parts()

    def _conv(self, filters, name, initializer, activation=None):
        return keras.layers.Conv2D(
            filters,
            self.kernel_size,
            padding="same",
            data_format="channels_last",
            activation=activation,
            kernel_initializer=initializer,
            name=name,
            dtype=self.dtype_policy,
            trainable=self.trainable,
        )

    @property
    def _reader(self):
        return SegmapReader(self, windows=((self.kernel_size, 1),) * 2)

    def call(self, x, segmap, edges=None, training=False, moments=None):
        """`norm(x) * (1 + gamma(m)) + beta(m)`."""
        m = self._reader.read(segmap, edges, ops.shape(x)[1:3])
        normalized = self.feature_norm.parts(x, training, moments)
        return m.modulate(normalized, GammaAndBeta(self.shared, self.gamma, self.beta, training))

    def compute_output_spec(self, x, segmap, edges=None, training=False, moments=None):
        """A symbolic output, after the same checks as in `call`."""
        self._reader.check(segmap, edges)
        return keras.KerasTensor(x.shape, dtype=self.compute_dtype)

    def compute_output_shape(self, x_shape, segmap_shape, edges_shape=None):
        """The shape of `x`."""
        return x_shape

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "norm": self.norm,
            "kernel_size": self.kernel_size,
            "hidden_filters": self.hidden_filters,
            "num_classes": self.num_classes,
            "modulation": self.modulation,
            "initial_gain": self.initial_gain,
        }
