"""The latents of `GauGAN.generate`."""

import keras
import numpy as np
from keras import ops

from keras_spade.layers import reparameterize
from keras_spade.models import _batches


def given_or_drawn(gan, batch_size, style_image, latent, seed):
    """The latents of `generate`, `(batch_size, latent_dim)`, or `None`."""
    latent_dim = gan.generator.latent_dim
    if style_image is not None and latent is not None:
        raise ValueError("`style_image` and `latent` cannot both be given.")
    if latent_dim is None:
        if style_image is not None or latent is not None:
            raise ValueError(
                "`style_image` and `latent`: the generator has no latent (latent_dim=None)."
            )
        return None
    if latent is not None:
        latent = np.asarray(latent, "float32")
        if latent.shape not in ((batch_size, latent_dim), (1, latent_dim)):
            raise ValueError(
                f"`latent` must have shape ({batch_size}, {latent_dim}) or (1, {latent_dim}), "
                f"got {latent.shape}."
            )
        return np.broadcast_to(latent, (batch_size, latent_dim))
    if seed is None:
        # A worker may paint alone; the noise of training stays that of all workers then.
        seed = gan.seed_generator if gan.workers == 1 else int(np.random.randint(2**31))
    if style_image is None:
        return ops.convert_to_numpy(keras.random.normal((batch_size, latent_dim), seed=seed))
    if gan.encoder is None:
        raise ValueError("`style_image`: the model has no encoder.")
    style = _batches.checked_style(style_image, batch_size, gan.encoder.image_shape)
    mean, log_variance = gan.encoder(style, training=False)
    shape = (batch_size, latent_dim)
    mean, log_variance = ops.broadcast_to(mean, shape), ops.broadcast_to(log_variance, shape)
    return ops.convert_to_numpy(reparameterize(mean, log_variance, seed=seed))
