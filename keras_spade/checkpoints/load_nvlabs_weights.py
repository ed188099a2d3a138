"""Loading weights of the authors' PyTorch implementation by name."""

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_spade.checkpoints._nvlabs_names import nvlabs_entries
from keras_spade.pth_files import read_pth


def load_nvlabs_weights(
    network: keras.Model, source: str | os.PathLike | Mapping[str, Any]
) -> None:
    """Loads the weights of a network of the authors' PyTorch implementation.

    Args:
        network: a `SPADEGenerator`, `MultiScaleDiscriminator` or `StyleEncoder`, built with the
            same options as in the training of the weights.
        source: path of a PyTorch file (`latest_net_G.pth`, `..._D.pth`, `..._E.pth`), read with
            weights-only unpickling, which needs PyTorch installed; or a mapping of the reference's
            names to arrays. `num_batches_tracked` counters are ignored: nothing depends on them.

    Raises:
        ValueError: naming every key that is missing, unused or has a wrong shape; nothing is loaded
            then.
        ImportError: for a path, without PyTorch.

    Example:

    >>> from keras_spade import SPADEGenerator
    >>> from keras_spade.checkpoints import load_nvlabs_weights, nvlabs_weights
    >>> ours = SPADEGenerator(num_classes=4, image_shape=(32, 32, 3), base_filters=2)
    >>> weights = nvlabs_weights(ours)
    >>> load_nvlabs_weights(ours, weights)
    """
    if isinstance(source, Mapping):
        arrays = {name: np.asarray(array) for name, array in source.items()}
    else:
        arrays = read_pth("`source`", os.fspath(source))
    arrays = {k: v for k, v in arrays.items() if not k.endswith(".num_batches_tracked")}
    entries = nvlabs_entries(network)
    problems = [f"missing: {name}" for name in entries if name not in arrays]
    problems += [f"unused: {name}" for name in arrays if name not in entries]
    problems += [
        f"wrong shape: {name} has shape {arrays[name].shape}, wanted {entry.shape}"
        for name, entry in entries.items()
        if name in arrays and arrays[name].shape != entry.shape
    ]
    problems += [
        f"not numbers: {name} has dtype {arrays[name].dtype}"
        for name in entries
        if name in arrays and arrays[name].dtype.kind not in "fiu"
    ]
    if problems:
        origin = "the mapping" if isinstance(source, Mapping) else repr(os.fspath(source))
        raise ValueError(
            f"`source`: {origin} does not fit {type(network).__name__} {network.name!r}; "
            "nothing was loaded.\n  " + "\n  ".join(problems)
        )
    for name, entry in entries.items():
        entry.variable.assign(entry.to_keras(arrays[name]))
