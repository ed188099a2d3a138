"""The average pooling between the scales of the discriminator."""

import keras
from keras import ops

from keras_spade.tensor import Tensor


def half_pool(x: Tensor) -> Tensor:
    """3 x 3 average pooling with stride 2 and a padding of 1 that the mean excludes.

    Args:
        x: float maps, `(batch, H, W, channels)`.

    Returns:
        `(batch, (H + 1) // 2, (W + 1) // 2, channels)`.
    """
    if keras.backend.backend() == "torch":
        from keras_spade.backends import torch_layers

        return torch_layers.half_pool(x)
    border = [[0, 0], [1, 1], [1, 1], [0, 0]]
    # Zeros in the border add nothing to the sum; dividing by the mean of a padded one-map
    # leaves the mean over the real pixels.
    options = {"strides": 2, "padding": "valid", "data_format": "channels_last"}
    total = ops.average_pool(ops.pad(x, border), 3, **options)
    ones = ops.ones((1, *ops.shape(x)[1:3], 1), dtype=x.dtype)
    share = ops.average_pool(ops.pad(ones, border), 3, **options)
    return total / share
