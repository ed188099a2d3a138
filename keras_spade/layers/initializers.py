"""The initialisation of all three networks."""

import math
import numbers

import keras
from keras import ops

AUTHORS_GAIN = 0.02


def xavier_normal(gain: float = AUTHORS_GAIN) -> keras.initializers.VarianceScaling:
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
    _check(gain)
    return keras.initializers.VarianceScaling(
        scale=gain**2, mode="fan_avg", distribution="untruncated_normal"
    )


def of_label_maps(gain: float, num_classes: int | None) -> keras.initializers.Initializer:
    """Initialises kernels that read label maps: `xavier_normal(gain * sqrt(num_classes))`.

    Glorot's derivation assumes inputs of variance 1 in every channel. A one-hot map has a single 1
    per pixel, the mean of its squares is `1 / num_classes`. Without the factor, gamma and beta
    start much smaller than the activations, and the label map is learned late.

    Args:
        gain: as in `xavier_normal`; up to the authors' 0.02 there is no factor.
        num_classes: number of one-hot channels; `None` for other maps, without the factor.
    """
    _check(gain)
    adapted = num_classes is not None and gain > AUTHORS_GAIN
    return xavier_normal(gain * math.sqrt(num_classes) if adapted else gain)


def of_images(gain: float) -> keras.initializers.Initializer:
    """Initialises the last kernel of a generator, so that pictures start grey and pale.

    The kernel of the first channel of `xavier_normal(min(gain, 0.2))`, for all channels: those of
    photographs hardly differ, while independent or large kernels start with random colours and
    patterns, which take hundreds of steps to disappear.

    Args:
        gain: as in `xavier_normal`; up to the authors' 0.02, the kernels are independent.
    """
    _check(gain)
    if gain <= AUTHORS_GAIN:
        return xavier_normal(gain)
    return _SameForAllChannels(xavier_normal(min(gain, 0.2)))


def _check(gain):
    number = isinstance(gain, numbers.Real) and not isinstance(gain, bool)
    if not (number and 0 < gain < math.inf):
        raise ValueError(f"`initial_gain` must be a positive number, got {gain!r}.")


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
