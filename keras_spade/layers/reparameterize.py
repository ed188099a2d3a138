"""The reparameterisation trick of the style encoder."""

import keras
from keras import ops

from keras_spade.backends.replicas import normal_over_replicas
from keras_spade.precision import full_precision
from keras_spade.tensor import Tensor


def reparameterize(
    mean: Tensor, log_variance: Tensor, seed: int | keras.random.SeedGenerator | None = None
) -> Tensor:
    """Draws `z = mean + exp(log_variance / 2) * noise` with standard normal noise.

    Under `tf.distribute`, each sample's noise depends only on its position in the global batch.

    Args:
        mean: `(batch, latent_dim)`.
        log_variance: `(batch, latent_dim)`.
        seed: an int, a `keras.random.SeedGenerator`, or `None`.

    Returns:
        Latents `(batch, latent_dim)`, differentiable in both arguments.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import reparameterize
    >>> z = reparameterize(np.ones((2, 4), "float32"), np.full((2, 4), -200.0, "float32"), seed=1)
    >>> float(z[0, 0])
    1.0

    Reference: Park et al. 2019 (arXiv 1903.07291), section 3, "Multi-modal synthesis"; Kingma and
    Welling 2014.
    """
    mean = full_precision(ops.convert_to_tensor(mean))
    log_variance = full_precision(ops.convert_to_tensor(log_variance))
    dtype = keras.backend.standardize_dtype(mean.dtype)
    noise = normal_over_replicas(ops.shape(mean), dtype=dtype, seed=seed)
    return mean + ops.exp(0.5 * log_variance) * noise
