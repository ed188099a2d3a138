"""A convolution computed as one matrix product for small maps."""

import keras
from keras import ops

from keras_spade.backends.layers import again_for_the_gradient, multiplies_small_maps
from keras_spade.layers.conv2d import Conv2D

# For larger maps, TensorFlow's convolution is faster on a CPU.
SMALL_MAP = 256


@keras.saving.register_keras_serializable(package="keras_spade")
class SmallMapConv2D(Conv2D):
    """`keras.layers.Conv2D`, computed as one matrix product if the output has few pixels.

    A convolution on a CPU first reorders its kernel. On the 8 x 8 and 16 x 16 maps deep in
    the networks, kernels have up to 9 million weights, and reordering takes longer than
    multiplying. So for up to 256 output pixels, the windows are unfolded into a matrix, which is
    multiplied by the kernel as it is. (PyTorch on a GPU reorders nothing; there, maps of any size
    are convolved.)

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
    >>> from keras_spade.layers import SmallMapConv2D
    >>> tuple(SmallMapConv2D(4, 3, strides=2)(np.ones((1, 9, 9, 2), "float32")).shape)
    (1, 4, 4, 4)
    """

    def convolution_op(self, inputs, kernel, bias=None):
        """See `Conv2D`."""
        height, width = inputs.shape[1:3]
        same = self.padding == "same"
        (rows, columns), (row_stride, column_stride) = self.kernel_size, self.strides
        plain = self.data_format == "channels_last" and self.groups == 1
        plain = plain and self.dilation_rate == (1, 1) and None not in (height, width)
        if same and plain:
            plain = self.strides == (1, 1)
            height, width = height + rows - 1, width + columns - 1
        if not plain:
            return super().convolution_op(inputs, kernel, bias)
        height, width = (height - rows) // row_stride + 1, (width - columns) // column_stride + 1
        if height * width > SMALL_MAP or not multiplies_small_maps(inputs):
            return super().convolution_op(inputs, kernel, bias)
        if same:
            border = [((size - 1) // 2, size // 2) for size in self.kernel_size]
            inputs = ops.pad(inputs, [(0, 0), *border, (0, 0)])

        def multiply(inputs, kernel):
            taps = [
                inputs[
                    :,
                    row : row + (height - 1) * row_stride + 1 : row_stride,
                    column : column + (width - 1) * column_stride + 1 : column_stride,
                ]
                for row in range(rows)
                for column in range(columns)
            ]
            windows = ops.concatenate(taps, axis=-1)
            windows = ops.reshape(windows, (-1, kernel.shape[0]))
            return ops.matmul(windows, kernel)

        kernel = ops.cast(ops.reshape(kernel, (-1, self.filters)), inputs.dtype)
        # The gradient unfolds the windows again: storing them would take nine times the inputs.
        products = again_for_the_gradient(multiply, inputs, kernel)(inputs, kernel)
        y = ops.reshape(products, (-1, height, width, self.filters))
        return y if bias is None else y + bias
