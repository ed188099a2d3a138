"""Keras' convolution without the copies that it makes on PyTorch."""

from typing import Any

import keras

from keras_spade.backends.layers import convolve, convolves_itself


# Named as in Keras: files store the weights of functional models by class name.
@keras.saving.register_keras_serializable(package="keras_spade")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, without copies of the activations on PyTorch.

    Args:
        filters: number of output channels.
        kernel_size: one int or two.
        **kwargs: see `keras.layers.Conv2D`.

    Call arguments:
        inputs: `(batch, H, W, channels)`.

    Returns:
        The same as `keras.layers.Conv2D`.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers.conv2d import Conv2D
    >>> tuple(Conv2D(4, 3, strides=2)(np.ones((1, 9, 9, 2), "float32")).shape)
    (1, 4, 4, 4)
    """

    def __init__(self, filters: int, kernel_size: int | tuple[int, int], **kwargs: Any):
        super().__init__(filters, kernel_size, **kwargs)

    def convolution_op(self, inputs, kernel, bias=None):
        """The convolution without activation; `bias` is added if given.

        Args:
            inputs: `(batch, H, W, channels)`.
            kernel: a kernel of the shape of the layer's.
            bias: `(filters,)`, for channels-last layers only; or `None`.
        """
        if convolves_itself(self):
            options = {"padding": self.padding, "dilation_rate": self.dilation_rate}
            return convolve(inputs, kernel, bias, self.strides, **options)
        y = super().convolution_op(inputs, kernel)
        return y if bias is None else y + bias
