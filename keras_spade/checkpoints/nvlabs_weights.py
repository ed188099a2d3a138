"""Our weights under the reference implementation's names."""

import keras
import numpy as np

from keras_spade.checkpoints._nvlabs_names import nvlabs_entries


def nvlabs_weights(network: keras.Model) -> dict[str, np.ndarray]:
    """Returns the weights of a network with the names and layouts of the authors' implementation.

    The inverse of `load_nvlabs_weights`.

    Args:
        network: a `SPADEGenerator`, `MultiScaleDiscriminator` or `StyleEncoder`.

    Returns:
        A dict of name -> NumPy array.

    Example:

    >>> from keras_spade import StyleEncoder
    >>> from keras_spade.checkpoints import nvlabs_weights
    >>> weights = nvlabs_weights(StyleEncoder(base_filters=2, latent_dim=8))
    >>> weights["fc_mu.weight"].shape
    (8, 256)
    """
    return {
        name: entry.to_torch(keras.ops.convert_to_numpy(entry.variable))
        for name, entry in nvlabs_entries(network).items()
    }
