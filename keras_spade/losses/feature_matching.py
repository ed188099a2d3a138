"""The feature matching loss of pix2pixHD."""

from collections.abc import Sequence

from keras import ops

from keras_spade.precision import full_precision
from keras_spade.tensor import Tensor


def feature_matching_loss(
    fake: Sequence[Sequence[Tensor]], real: Sequence[Sequence[Tensor]]
) -> Tensor:
    """Mean absolute difference between the discriminator's features of fake and real images.

    `sum over scales and features of mean |fake - real| / number of scales`, over all features
    except the logits; real features are constants. Not divided by the number of features.

    Args:
        fake: the output of `MultiScaleDiscriminator` for fake images: a list over scales of lists
            of features `(batch, h, w, channels)`, logits last.
        real: the same for real images.

    Returns:
        A scalar.

    Raises:
        ValueError: if the two have different numbers of scales or features.

    Example:

    >>> import numpy as np
    >>> from keras_spade.losses import feature_matching_loss
    >>> one, zero = np.ones((1, 2, 2, 3), "float32"), np.zeros((1, 2, 2, 3), "float32")
    >>> float(feature_matching_loss([[one, one, one]], [[zero, zero, zero]]))
    2.0

    Reference: Wang et al. 2018 (pix2pixHD, arXiv 1711.11585), equation 4; Park et al. 2019,
    section 3.
    """
    terms = [
        ops.mean(ops.abs(full_precision(f) - ops.stop_gradient(full_precision(r))))
        for fake_scale, real_scale in zip(fake, real, strict=True)
        for f, r in zip(fake_scale[:-1], real_scale[:-1], strict=True)
    ]
    return sum(terms) / len(fake)
