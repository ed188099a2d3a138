"""What layers compute otherwise on one backend."""

import keras
from keras import ops


def leaky_relu_gradient(upstream, y, slope):
    """The gradient of a leaky ReLU, from its result.

    Args:
        upstream: the gradient of the result, a float tensor.
        y: the result.
        slope: below zero.

    Returns:
        The shape of `y`.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # In one pass and without intermediate tensors.
        return tf.raw_ops.LeakyReluGrad(gradients=upstream, features=y, alpha=slope)
    return ops.where(y > 0, upstream, slope * upstream)


def convolve_one_filter(convolve, inputs, kernel):
    """A convolution whose kernel has one filter.

    Args:
        convolve: called with inputs and kernel.
        inputs: `(batch, H, W, channels)`.
        kernel: `(rows, columns, channels, 1)`.

    Returns:
        What `convolve` returns.
    """
    if keras.backend.backend() != "torch":
        return convolve(inputs, kernel)
    # PyTorch's plain convolution on a CPU, which it takes for float64 and for single samples,
    # fails at the gradient of a kernel of one filter that is a transposed view. So there are
    # two, one of zeros.
    kernel = ops.concatenate([kernel, ops.zeros_like(kernel)], axis=-1)
    return convolve(inputs, kernel)[..., :1]
