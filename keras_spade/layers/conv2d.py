"""Keras' convolution, without the copies that it makes on PyTorch."""

import keras

from keras_spade.backends.layers import convolve, convolves_itself


# The name is Keras' own: files hold weights of functional models by the names of classes.
@keras.saving.register_keras_serializable(package="keras_spade")
class Conv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, on PyTorch without copies of activations.

    Args:
        filters: output channels.
        kernel_size: an int or two.
        **kwargs: see `keras.layers.Conv2D`.

    Call arguments:
        inputs: `(batch, H, W, channels)`.

    Returns:
        What `keras.layers.Conv2D` returns.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers.conv2d import Conv2D
    >>> tuple(Conv2D(4, 3, strides=2)(np.ones((1, 9, 9, 2), "float32")).shape)
    (1, 4, 4, 4)
    """

    def __init__(self, filters, kernel_size, **kwargs):
        super().__init__(filters, kernel_size, **kwargs)

    def convolution_op(self, inputs, kernel, bias=None):
        """The convolution without activation, and without bias unless one is given.

        Args:
            inputs: `(batch, H, W, channels)`.
            kernel: of the shape of the layer's.
            bias: `(filters,)`, where channels stand last; or `None`.
        """
        if convolves_itself(self):
            options = {"padding": self.padding, "dilation_rate": self.dilation_rate}
            return convolve(inputs, kernel, bias, self.strides, **options)
        y = super().convolution_op(inputs, kernel)
        return y if bias is None else y + bias
