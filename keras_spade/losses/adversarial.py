"""Adversarial losses over the scales of a discriminator."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_spade.precision import full_precision
from keras_spade.tensor import Tensor


@keras.saving.register_keras_serializable(package="keras_spade")
class AdversarialLoss:
    """An adversarial loss of logits `x`, averaged over patches, batch and scales.

    | kind | discriminator, real | discriminator, fake | generator |
    |---|---|---|---|
    | `"hinge"` | `max(0, 1 - x)` | `max(0, 1 + x)` | `-x` |
    | `"least_squares"` | `(x - 1)^2` | `x^2` | `(x - 1)^2` |
    | `"binary_crossentropy"` | `softplus(-x)` | `softplus(x)` | `softplus(-x)` |
    | `"wasserstein"` | `-x` | `x` | `-x` |

    Args:
        kind: one of the above.

    Call arguments:
        outputs: the output of `MultiScaleDiscriminator` (a list over scales of lists of features,
            logits last), a list of logits over scales, or one tensor of logits.
        real: whether the target is "real".
        for_discriminator: whether the loss is for the discriminator or for the generator.

    Returns:
        A scalar.

    Raises:
        ValueError: for an unknown kind.

    Example:

    >>> import numpy as np
    >>> from keras_spade.losses import AdversarialLoss
    >>> float(AdversarialLoss("hinge")(np.full((1, 2, 2, 1), 0.25, "float32"), real=True))
    0.75

    Reference: Park et al. 2019 (arXiv 1903.07291), section 3 and appendix A; Lim and Ye 2017 for
    the hinge.
    """

    KINDS = ("hinge", "least_squares", "binary_crossentropy", "wasserstein")

    def __init__(self, kind: str = "hinge"):
        if kind not in self.KINDS:
            raise ValueError(f"`kind` must be one of {self.KINDS}, got {kind!r}.")
        self.kind = kind

    def __call__(
        self, outputs: Sequence[Sequence[Tensor]], real: bool, for_discriminator: bool = True
    ) -> Tensor:
        """The loss of a discriminator's outputs."""
        if not isinstance(outputs, (list, tuple)):
            outputs = [outputs]
        logits = [scale[-1] if isinstance(scale, (list, tuple)) else scale for scale in outputs]
        losses = [ops.mean(self._pointwise(x, real, for_discriminator)) for x in logits]
        return sum(losses) / len(losses)

    def _pointwise(self, x, real, for_discriminator):
        x = full_precision(ops.convert_to_tensor(x))
        signed = -x if real else x
        if self.kind == "hinge" and for_discriminator:
            return ops.relu(1.0 + signed)
        if self.kind == "least_squares":
            return ops.square(x - 1.0 if real else x)
        if self.kind == "binary_crossentropy":
            return ops.softplus(signed)
        return signed

    def get_config(self):
        """The constructor's arguments."""
        return {"kind": self.kind}

    @classmethod
    def from_config(cls, config):
        """Builds the loss from `get_config()`."""
        return cls(**config)
