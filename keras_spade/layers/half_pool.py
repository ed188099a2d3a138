"""The average pooling between the scales of the discriminator."""

from typing import Any

import keras

from keras_spade.segmaps.distinct_windows import window_count
from keras_spade.segmaps.half_pool import half_pool


@keras.saving.register_keras_serializable(package="keras_spade")
class HalfPool(keras.layers.Layer):
    """3 x 3 average pooling with stride 2 and a padding of 1 that the mean excludes.

    TensorFlow's "same" padding places windows differently: for even sizes it only pads the end.

    Call arguments:
        x: float maps, `(batch, H, W, channels)`.

    Returns:
        `(batch, (H + 1) // 2, (W + 1) // 2, channels)`.

    Raises:
        ValueError: for another rank.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import HalfPool
    >>> float(HalfPool()(np.ones((1, 6, 5, 1), "float32"))[0, 0, 0, 0])
    1.0

    Reference: Wang et al. 2018 (pix2pixHD, arXiv 1711.11585), section 3.2; Park et al. 2019 (arXiv
    1903.07291), appendix A, which uses that discriminator.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def call(self, x):
        """Pools `x`."""
        return half_pool(x)

    def compute_output_shape(self, input_shape):
        """Half the height and width, rounded up."""
        batch, height, width, channels = input_shape
        return (batch, window_count(height, 3, 2), window_count(width, 3, 2), channels)
