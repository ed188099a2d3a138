"""The activation of all networks."""

from keras_spade.backends import layers
from keras_spade.tensor import Tensor

SLOPE = 0.2


def leaky_relu(x: Tensor) -> Tensor:
    """Leaky ReLU of slope 0.2.

    Args:
        x: a float tensor.

    Returns:
        A tensor of the same shape as `x`.
    """
    return layers.leaky_relu(x, SLOPE)
