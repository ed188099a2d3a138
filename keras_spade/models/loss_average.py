"""The averages that `GauGAN` logs."""

from collections.abc import Mapping, Sequence

import keras
from keras import ops

from keras_spade.backends.part import Part
from keras_spade.backends.replicas import sum_over_replicas
from keras_spade.precision import full_precision, full_precision_dtype
from keras_spade.tensor import Tensor


class LossAverage(keras.metrics.Mean):
    """A mean that is NaN without values, where Keras' mean is 0.

    An epoch in which every step was skipped therefore never counts as the best. Sums are float32 or
    wider: in 16 bits, a sum of a few hundred would stop growing.
    """

    def __init__(self, name: str = "mean", dtype: str | None = None):
        super().__init__(name, dtype or full_precision_dtype(keras.config.floatx()))

    def result(self) -> Tensor:
        """The mean."""
        return ops.where(self.count > 0, super().result(), float("nan"))


def track(
    averages: Sequence[LossAverage],
    losses: Mapping[str, Tensor],
    part: Part,
    replicas: int,
    leave_out_bad: bool = False,
) -> dict:
    """Adds a batch's losses, as means over all replicas, to the averages.

    Args:
        averages: a `LossAverage` for each loss.
        losses: scalars by name, each a mean over this replica's part of the batch.
        part: of the global batch.
        replicas: number of replicas.
        leave_out_bad: whether to omit non-finite losses. If there are no others, an average is NaN.

    Returns:
        The averages by name.
    """
    losses = ops.stack([full_precision(losses[average.name]) for average in averages])
    losses = sum_over_replicas(losses * ops.cast(part.share, losses.dtype))
    # Keras sums the averages of the replicas, which are all the same here.
    size = ops.cast(part.total, losses.dtype) / replicas
    for average, loss in zip(averages, ops.unstack(losses), strict=True):
        if leave_out_bad:
            finite = ops.isfinite(loss)
            loss, weight = ops.where(finite, loss, 0.0), ops.where(finite, size, 0.0)
        else:
            weight = size
        average.update_state(loss, sample_weight=weight)
    return {average.name: average.result() for average in averages}
