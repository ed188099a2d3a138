"""Spatially-adaptive (de)normalisation, the layer the paper is about."""

import keras
from keras import ops

from keras_spade.layers.conditioning_map import check_conditioning, conditioning_map
from keras_spade.layers.feature_norm import FeatureNorm
from keras_spade.layers.initializers import xavier_normal


@keras.saving.register_keras_serializable(package="keras_spade")
class SPADE(keras.layers.Layer):
    """Spatially-adaptive normalisation.

    `SPADE(x, m) = norm(x) * (1 + gamma(m)) + beta(m)`, where `norm` has no learned parameters and
    `gamma`, `beta` are maps that two convolutions make from the label map `m`, resized (nearest)
    to the size of `x`: `gamma(m) = conv(relu(conv(m)))`, `beta` likewise with the first
    convolution shared.

    Args:
        norm: `"sync_batch"`, `"batch"` or `"instance"`, see `FeatureNorm`.
        kernel_size: of all three convolutions; odd.
        hidden_filters: channels between the two convolutions.
        num_classes: number of one-hot channels if integer labels come in (the void class counts);
            not needed for float maps.

    Call arguments:
        x: float activations, `(batch, h, w, channels)`.
        segmap: integer labels `(batch, H, W)` in `0..num_classes-1`, or any float map (one-hot,
            soft labels, depth ...) `(batch, H, W, k)`, at any resolution. An id outside the range
            is not detected here and counts as no class; `GauGAN` checks.
        edges: optional float 0/1 `(batch, H, W)`, with integer labels only: one more channel, last.
        training: passed to the norm.

    Returns:
        Modulated activations, the shape of `x`.

    Raises:
        ValueError: for an even `kernel_size`, an unknown `norm`, or a `segmap` of another rank or
            dtype.

    Example:

    >>> import numpy as np
    >>> from keras_spade import SPADE
    >>> x = np.random.rand(1, 8, 8, 4).astype("float32")
    >>> labels = np.random.randint(0, 5, (1, 32, 32))
    >>> tuple(SPADE(num_classes=5)(x, labels).shape)
    (1, 8, 8, 4)

    Reference: Park et al. 2019 (arXiv 1903.07291), section 3, equations 1 to 3; figure 10.
    """

    def __init__(
        self, norm="sync_batch", kernel_size=3, hidden_filters=128, num_classes=None, **kwargs
    ):
        super().__init__(**kwargs)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be odd and positive, got {kernel_size!r}.")
        self.norm = norm
        self.kernel_size = kernel_size
        self.hidden_filters = hidden_filters
        self.num_classes = num_classes
        self.feature_norm = FeatureNorm(norm, name="norm", dtype=self.dtype_policy)

    def build(self, x_shape, segmap_shape, edges_shape=None):
        """Creates the three convolutions."""
        if len(x_shape) != 4:
            raise ValueError(
                f"SPADE {self.name!r}: `x` must have shape (batch, h, w, channels), "
                f"got {tuple(x_shape)}."
            )
        if len(segmap_shape) == 4:
            map_channels = segmap_shape[-1]
        else:
            map_channels = (self.num_classes or 0) + (edges_shape is not None)
        self.feature_norm.build(x_shape)
        self.shared = self._conv(self.hidden_filters, "shared", activation="relu")
        self.gamma = self._conv(x_shape[-1], "gamma")
        self.beta = self._conv(x_shape[-1], "beta")
        self.shared.build((*x_shape[:3], map_channels))
        self.gamma.build((*x_shape[:3], self.hidden_filters))
        self.beta.build((*x_shape[:3], self.hidden_filters))

    def _conv(self, filters, name, activation=None):
        return keras.layers.Conv2D(
            filters,
            self.kernel_size,
            padding="same",
            activation=activation,
            kernel_initializer=xavier_normal(),
            name=name,
            dtype=self.dtype_policy,
        )

    def call(self, x, segmap, edges=None, training=False):
        """Normalises `x` and modulates it by the label map."""
        height, width = ops.shape(x)[1:3]
        segmap = conditioning_map(
            segmap, edges, self.num_classes, height, width, self.compute_dtype, self.name
        )
        hidden = self.shared(segmap)
        normalized = self.feature_norm(x, training=training)
        return normalized * (1.0 + self.gamma(hidden)) + self.beta(hidden)

    def compute_output_spec(self, x, segmap, edges=None, training=False):
        """A symbolic output, after the checks of the real one."""
        check_conditioning(segmap, edges, self.num_classes, self.name)
        shape = self.compute_output_shape(x.shape, segmap.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

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
        }
