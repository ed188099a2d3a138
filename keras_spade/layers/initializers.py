"""The initialisation of all three networks."""

import math
import numbers

import keras
from keras import ops


def xavier_normal(gain: float = 0.02) -> keras.initializers.VarianceScaling:
    """Xavier-normal (Glorot) initialiser with a gain, `std = gain * sqrt(2 / (fan_in + fan_out))`.

    The paper only mentions Glorot initialisation, whose gain is 1. The authors' code uses 0.02, and
    so do these networks by default. With 0.02, gamma and beta hardly depend on the label map at
    first, and an optimizer's step rotates kernels under spectral norm 50 times further: short
    trainings learn much faster with 1.

    Args:
        gain: factor of the standard deviation, above 0.

    Returns:
        A `keras.initializers.VarianceScaling`.

    Raises:
        ValueError: for a gain that is not a positive number.

    Example:

    >>> from keras_spade.layers import xavier_normal
    >>> xavier_normal()((3, 3, 64, 64)).shape[-1]
    64

    Reference: Glorot and Bengio 2010, equation 16; Park et al. 2019 (arXiv 1903.07291), appendix A,
    "Training details".
    """
    number = isinstance(gain, numbers.Real) and not isinstance(gain, bool)
    if not (number and 0 < gain < math.inf):
        raise ValueError(f"`initial_gain` must be a positive number, got {gain!r}.")
    return keras.initializers.VarianceScaling(
        scale=gain**2, mode="fan_avg", distribution="untruncated_normal"
    )


def same_for_all_channels(
    initializer: keras.initializers.Initializer,
) -> keras.initializers.Initializer:
    """Starts all channels of an image with the kernel of the first one.

    The channels of photographs hardly differ, and independent kernels make random colours, which
    take hundreds of steps to disappear.

    Args:
        initializer: of kernels.

    Returns:
        An initializer of kernels whose last axis repeats the first channel.
    """
    return _SameForAllChannels(initializer)


@keras.saving.register_keras_serializable(package="keras_spade")
class _SameForAllChannels(keras.initializers.Initializer):
    def __init__(self, initializer):
        self.initializer = keras.initializers.get(initializer)

    def __call__(self, shape, dtype=None):
        first = self.initializer(shape, dtype=dtype)[..., :1]
        # Not `repeat`, whose result on PyTorch shares memory, so that optimizers fail.
        return ops.concatenate([first] * shape[-1], axis=-1)

    def get_config(self):
        return {"initializer": keras.initializers.serialize(self.initializer)}
