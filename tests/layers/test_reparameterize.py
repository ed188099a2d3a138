import keras
import numpy as np
import pytest
from support.backends import differentiate, sixty_four_bits
from support.golden_files import load_golden, relative_error
from support.harness import to_numpy

from keras_spade.layers import reparameterize


def test_sample_is_the_references_for_its_noise(monkeypatch):
    golden = load_golden("losses")
    noise = golden["in/eps"]
    noise = keras.ops.convert_to_tensor(noise)
    monkeypatch.setattr(keras.random, "normal", lambda shape, dtype, seed: noise)
    z = reparameterize(golden["in/mu"], golden["in/logvar"])
    assert relative_error(z, golden["out/reparam/z"]) < 1e-6


def test_mean_and_variance_of_many_samples():
    count = 40_000
    mean = np.array([-1.0, 0.0, 3.0], "float32")
    log_variance = np.array([np.log(0.25), 0.0, np.log(9.0)], "float32")
    z = to_numpy(
        reparameterize(np.tile(mean, (count, 1)), np.tile(log_variance, (count, 1)), seed=1)
    )
    deviation = np.array([0.5, 1.0, 3.0])
    assert np.all(np.abs(z.mean(axis=0) - mean) < 5 * deviation / np.sqrt(count))
    assert np.all(np.abs(z.std(axis=0) / deviation - 1) < 5 / np.sqrt(2 * count))
    correlation = np.corrcoef(z.T) - np.eye(3)
    assert np.max(np.abs(correlation)) < 5 / np.sqrt(count)


def test_gradients():
    rng = np.random.default_rng(0)
    mean, log_variance, seed = rng.normal(size=(3, 4, 8)).astype("float32")

    def loss(mean, log_variance):
        z = reparameterize(mean, log_variance, seed=2)
        return keras.ops.sum(keras.ops.multiply(z, seed)), z

    z, (grad_mean, grad_log_variance), _ = differentiate(loss, [mean, log_variance], [])
    np.testing.assert_array_equal(to_numpy(grad_mean), seed)
    # dz/d log_variance = (z - mean) / 2
    want = seed * (to_numpy(z) - mean) / 2
    assert relative_error(grad_log_variance, want) < 1e-6


def test_seeds():
    zeros = np.zeros((3, 5), "float32")
    np.testing.assert_array_equal(
        to_numpy(reparameterize(zeros, zeros, seed=3)),
        to_numpy(reparameterize(zeros, zeros, seed=3)),
    )
    generator = keras.random.SeedGenerator(4)
    draws = [to_numpy(reparameterize(zeros, zeros, seed=generator)) for _ in range(2)]
    draws += [to_numpy(reparameterize(zeros, zeros)) for _ in range(2)]
    assert len({draw.tobytes() for draw in draws}) == 4


@pytest.mark.parametrize(
    ("dtype", "want"), [("bfloat16", "float32"), ("float16", "float32"), ("float64", "float64")]
)
@sixty_four_bits()
def test_samples_are_at_least_float32(dtype, want):
    zeros = keras.ops.zeros((2, 3), dtype)
    z = reparameterize(zeros, zeros, seed=5)
    assert keras.backend.standardize_dtype(z.dtype) == want
    # More digits than fit into a 16-bit float.
    assert np.any(to_numpy(z) != to_numpy(keras.ops.cast(keras.ops.cast(z, "float16"), want)))
