import numpy as np
import pytest
from support.backends import only_on
from support.tiny_gan import tiny_batch, tiny_gan

from examples.paper.keras_io.gaugan import build_generator
from examples.paper.keras_io.sides import as_bytes, count_parameters, in_batches, start_as_torch

pytestmark = only_on("tensorflow", "the example's step is TensorFlow's")


@pytest.mark.parametrize("shape", [(64, 64, 3), (96, 128, 3), (256, 256, 3)])
def test_parameters_of_the_generator_of_keras_io(shape):
    generator = build_generator((*shape[:2], 5), filters=2, latent_dim=7)
    assert count_parameters(shape, 5, 2, latent_dim=7) == generator.count_params()


def test_kernels_start_as_in_pytorch_and_pictures_stay():
    gan = tiny_gan()
    batch = tiny_batch()
    latent = np.ones((2, 2), "float32")
    before = gan.generator({"labels": batch["labels"], "latent": latent})
    kernel = gan.generator.get_layer("head_0").conv_1.kernel
    of_spade = np.array(gan.generator.get_layer("head_0").norm_0.gamma.kernel)
    start_as_torch(gan)
    # A uniform distribution up to (3 * 3 * 2)^-0.5.
    assert np.array(kernel).std() == pytest.approx((3 * 18) ** -0.5, rel=1e-5)
    after = gan.generator({"labels": batch["labels"], "latent": latent})
    np.testing.assert_allclose(after, before, atol=1e-5)
    np.testing.assert_array_equal(gan.generator.get_layer("head_0").norm_0.gamma.kernel, of_spade)


def test_pictures_in_batches():
    labels = np.arange(5).reshape(5, 1, 1)
    painted = in_batches(lambda part, i: part * 10 + i, labels, 2)
    assert painted.ravel().tolist() == [0, 10, 22, 32, 44]
    assert as_bytes(np.array([-1.0, 0.0, 1.0, 1.01])).tolist() == [0, 128, 255, 255]
