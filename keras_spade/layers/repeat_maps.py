"""Repeating label maps that belong to several images."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_spade")
class RepeatMaps(keras.layers.Layer):
    """Repeats a batch of maps, so that each of `n` stacks of images has its own.

    Call arguments:
        maps: labels, edges or float maps, `(batch, ...)`.
        images: `(n * batch, ...)`; only their number matters.

    Returns:
        `(n * batch, ...)`: the maps in order, `n` times.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import RepeatMaps
    >>> np.array(RepeatMaps()(np.array([[[1]], [[2]]]), np.zeros((4, 1, 1, 3)))).ravel().tolist()
    [1, 2, 1, 2]
    """

    def build(self, maps_shape, images_shape):
        """Creates no weights."""

    def call(self, maps, images):
        """Repeats `maps`."""
        times = ops.shape(images)[0] // ops.shape(maps)[0]
        return ops.tile(maps, [times] + [1] * (len(maps.shape) - 1))

    def compute_output_spec(self, maps, images):
        """A symbolic batch of maps."""
        return keras.KerasTensor((images.shape[0], *maps.shape[1:]), dtype=maps.dtype)
