"""The initialisation of all three networks."""

import keras


def xavier_normal(gain: float = 0.02) -> keras.initializers.VarianceScaling:
    """Xavier-normal initialiser with a gain, `std = gain * sqrt(2 / (fan_in + fan_out))`.

    Args:
        gain: factor of the standard deviation. The paper's networks use 0.02.

    Returns:
        A `keras.initializers.VarianceScaling`.

    Example:

    >>> from keras_spade.layers import xavier_normal
    >>> xavier_normal()((3, 3, 64, 64)).shape[-1]
    64

    Reference: Glorot and Bengio 2010, equation 16; Park et al. 2019 (arXiv 1903.07291), appendix A,
    "Training details".
    """
    return keras.initializers.VarianceScaling(
        scale=gain**2, mode="fan_avg", distribution="untruncated_normal"
    )
