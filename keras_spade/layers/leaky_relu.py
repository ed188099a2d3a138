"""The activation of all networks."""

from keras import ops

from keras_spade.backends.layers import leaky_relu_gradient

SLOPE = 0.2


def leaky_relu(x):
    """Leaky ReLU of slope 0.2, whose gradient needs only the result, not `x`.

    Args:
        x: a float tensor.

    Returns:
        A tensor of the same shape as `x`.
    """

    @ops.custom_gradient
    def activate(x):
        y = ops.leaky_relu(x, SLOPE)

        def gradients(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return leaky_relu_gradient(upstream, y, SLOPE)

        return y, gradients

    return activate(x)
