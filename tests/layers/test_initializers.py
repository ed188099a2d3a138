import keras
import numpy as np
import pytest
from scipy import stats
from support.harness import to_numpy

from keras_spade.layers import xavier_normal


@pytest.mark.parametrize(
    ("shape", "fan_in", "fan_out"),
    [((3, 3, 256, 64), 2304, 576), ((1, 1, 400, 300), 400, 300), ((256, 1024), 256, 1024)],
)
@pytest.mark.parametrize("gain", [0.02, 1.0])
def test_kernels_are_normal_with_xaviers_deviation(shape, fan_in, fan_out, gain):
    initializer = xavier_normal() if gain == 0.02 else xavier_normal(gain)
    kernel = to_numpy(initializer(shape)).ravel()
    want = gain * np.sqrt(2.0 / (fan_in + fan_out))
    count = kernel.size
    assert abs(kernel.mean()) < 5 * want / np.sqrt(count)
    assert abs(kernel.std() / want - 1) < 5 / np.sqrt(2 * count)
    assert stats.kstest(kernel / want, "norm").pvalue > 1e-3
    # Not truncated at two deviations, unlike Keras' GlorotNormal.
    assert abs(np.mean(np.abs(kernel) > 2 * want) - 2 * stats.norm.sf(2)) < 5 / np.sqrt(count)
    assert np.max(np.abs(kernel)) > 3.5 * want


def test_draws_differ_and_the_config_comes_back():
    initializer = xavier_normal(0.5)
    copy = keras.initializers.deserialize(keras.initializers.serialize(initializer))
    assert copy.get_config() == initializer.get_config()
    first, second = (to_numpy(xavier_normal()((4, 4))) for _ in range(2))
    assert np.all(first != second)
