"""Mean and variance of a norm's inputs over many batches."""

import keras
import numpy as np
from keras import ops

from keras_spade.backends.replicas import sum_over_replicas
from keras_spade.layers import FeatureNorm
from keras_spade.layers.feature_norm import Moments

FIRST = "only_first_replica"  # All replicas assign the same value.


class PooledMoments:
    """Mean and variance over all added batches, as if they were one.

    Together, two sets of `n` and `k` numbers with means `m`, `p` and variances `v`, `w` have the
    mean `m + s * (p - m)` and the variance `v + s * (w - v) + s * (1 - s) * (p - m)^2`, with
    `s = k / (n + k)`. This equals `E[x^2] - E[x]^2` but avoids the difference of large numbers.

    Args:
        norm: a built `FeatureNorm` with moving statistics.
    """

    def __init__(self, norm: FeatureNorm):
        self.norm = norm
        channels, dtype = norm.moving_mean.shape, norm.moving_mean.dtype
        self.variables = [
            keras.Variable(np.zeros(shape, dtype), dtype=dtype, trainable=False, aggregation=FIRST)
            for shape in ((), channels, channels)
        ]

    def add(self, moments: Moments) -> None:
        """Adds the moments of a batch, on all replicas."""
        mean, variance, count = moments.mean, moments.variance, moments.count
        if self.norm.norm == "batch":  # Each replica has its own.
            total = sum_over_replicas(count)
            everywhere = sum_over_replicas(mean * count) / total
            spread = variance + ops.square(mean - everywhere)
            mean, variance = everywhere, sum_over_replicas(spread * count) / total
            count = total
        old_count, old_mean, old_variance = map(ops.convert_to_tensor, self.variables)
        total = old_count + count
        share, apart = count / total, mean - old_mean
        between = share * (1.0 - share) * ops.square(apart)
        variance = old_variance + share * (variance - old_variance) + between
        values = total, old_mean + share * apart, variance
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(ops.cast(value, variable.dtype))

    def statistics(self) -> list:
        """Pairs of the norm's moving statistics and their new values; none without a batch."""
        count, mean, variance = map(ops.convert_to_numpy, self.variables)
        pairs = [(self.norm.moving_mean, mean), (self.norm.moving_variance, variance)]
        return pairs if count else []
