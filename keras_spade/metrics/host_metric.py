"""A metric that accumulates in NumPy float64 on every backend."""

import functools
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_spade.backends import backend
from keras_spade.tensor import Tensor


class HostMetric(keras.metrics.Metric):
    """The base class of the metrics: batches are accumulated on the host, in float64.

    JAX has no float64 by default, and 32 bits are too few for covariances and pixel
    counts. So networks run on the backend's device, and their outputs are accumulated in
    NumPy; the state is not a variable. `update_state` and `result` run eagerly, in `tf.function`,
    and on the replicas of `tf.distribute`, all of which count, but not inside `jax.jit`.
    On several machines each process counts its own part.

    A subclass implements `clear`, `add` and `compute`. With too few samples the result is NaN,
    which `EvaluateMetrics` logs as the worst possible value.

    Args:
        name: of the metric.
        dtype: of the result.
        better: `"down"` or `"up"`: the direction for `EarlyStopping` and `ModelCheckpoint`.
    """

    shape: tuple = ()  # Of the result of `compute`.

    def __init__(self, name: str, dtype: str | None, better: str):
        super().__init__(dtype=dtype, name=name)
        self._direction = better
        self.reset_state()

    def clear(self) -> None:
        """Forgets all samples."""
        raise NotImplementedError

    def add(self, *arrays: np.ndarray) -> None:
        """Adds the values computed from a batch, as NumPy arrays."""
        raise NotImplementedError

    def compute(self) -> float:
        """The result."""
        raise NotImplementedError

    def reset_state(self) -> None:
        """Forgets all samples."""
        self.clear()

    def result(self) -> Tensor:
        """The metric of all samples so far, a scalar; NaN if there are too few."""
        value = backend.on_host(lambda: np.asarray(self.compute(), "float64"), shape=self.shape)
        return ops.cast(ops.convert_to_tensor(value), self.dtype)

    def protocol(self) -> dict[str, str]:
        """What the result depends on, in words.

        Returns:
            A dict of strings; its entry `is_not` names the number of the literature that the
            result is not, or not necessarily.
        """
        return {}


def refuse_none(**arguments: Any) -> None:
    """Raises if an argument of `update_state` is missing."""
    for name, value in arguments.items():
        if value is None:
            raise ValueError(f"`{name}` must be an array or tensor, got None.")


def serialized(argument: str, function: Any) -> Any:
    """Serializes a function or object as a part of a config.

    Args:
        argument: its name.
        function: the function or object.

    Raises:
        ValueError: for a Keras model, because configs do not hold weights.
    """
    if isinstance(function, keras.Model):
        raise ValueError(
            f"`{argument}` is a Keras model: a config would lose its weights. Pass an object that "
            "stores the path of its weights, like keras_spade.metrics.VGG16Features, or a "
            "registered function that loads them."
        )
    return keras.saving.serialize_keras_object(function)


def in_words(function: Any) -> str:
    """A function or object in words: its `description`, its name, or the name of its class."""
    if isinstance(function, functools.partial):
        return in_words(function.func)
    if isinstance(function, keras.Model):
        return function.name
    described = getattr(function, "description", None)
    name = getattr(function, "__name__", type(function).__name__)
    return described if isinstance(described, str) else name


def weights_in_words(weights: Any) -> str:
    """Weights of a VGG in words; a file by its name."""
    if weights is None:
        return "random"
    return Path(weights).name if isinstance(weights, str) else "given as arrays"


def deserialized(config: dict, argument: str) -> dict:
    """Returns the config with `argument` deserialized."""
    return {**config, argument: keras.saving.deserialize_keras_object(config[argument])}
