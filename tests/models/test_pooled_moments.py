import keras
import numpy as np

from keras_spade.layers import FeatureNorm
from keras_spade.layers.feature_norm import Moments
from keras_spade.models.pooled_moments import PooledMoments


def pooled(batches, norm="sync_batch"):
    """Mean and variance by `PooledMoments`, from those of each batch."""
    norm = FeatureNorm(norm)
    norm.build((None, None, None, batches[0].shape[-1]))
    both = PooledMoments(norm)
    assert both.statistics() == []
    for batch in batches:
        wide = batch.astype("float64")
        moments = wide.mean(axis=(0, 1, 2)), wide.var(axis=(0, 1, 2)), batch[..., 0].size
        both.add(Moments(None, *(keras.ops.convert_to_tensor(m, "float32") for m in moments)))
    (mean, its_value), (variance, other_value) = both.statistics()
    assert mean is norm.moving_mean and variance is norm.moving_variance
    return its_value, other_value


def test_by_hand():
    # 1, 3 and then 8: the mean is 4, the squared distances 9, 1 and 16.
    batches = [np.array(numbers, "float32").reshape(1, 1, -1, 1) for numbers in ([1, 3], [8])]
    for norm in ("sync_batch", "batch"):
        mean, variance = pooled(batches, norm)
        np.testing.assert_allclose([mean[0], variance[0]], [4, 26 / 3], rtol=1e-6)


def test_many_batches_far_from_zero():
    # E[x^2] - E[x]^2 in float32 would leave no digit of the variance: 10^8 and 1.
    rng = np.random.default_rng(0)
    batches = [
        rng.normal(1e4 + rng.normal(size=3), 1.0, (1 + i % 3, 4, 4, 3)).astype("float32")
        for i in range(60)
    ]
    mean, variance = pooled(batches)
    together = np.concatenate(batches).astype("float64")
    np.testing.assert_allclose(mean, together.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(variance, together.var(axis=(0, 1, 2)), rtol=5e-3)
    near = [batch - 1e4 for batch in batches]
    mean, variance = pooled(near)
    np.testing.assert_allclose(mean, np.concatenate(near).mean(axis=(0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(variance, np.concatenate(near).var(axis=(0, 1, 2)), rtol=1e-5)
