"""The initialisation of all three networks."""

import keras


def xavier_normal(gain=0.02):
    """Xavier-normal initialiser with a gain, `std = gain * sqrt(2 / (fan_in + fan_out))`.

    Args:
        gain: factor on the standard deviation. The paper's networks use 0.02.

    Returns:
        A `keras.initializers.VarianceScaling`.

    Example:

    >>> from keras_spade.layers import xavier_normal
    >>> xavier_normal()((3, 3, 64, 64)).shape[-1]
    64
    """
    return keras.initializers.VarianceScaling(
        scale=gain**2, mode="fan_avg", distribution="untruncated_normal"
    )
