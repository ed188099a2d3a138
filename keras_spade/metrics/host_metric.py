"""A metric that counts in NumPy's float64, on every backend."""

import keras
import numpy as np
from keras import ops

from keras_spade.backends import backend


class HostMetric(keras.metrics.Metric):
    """What the metrics here have in common: batches are added up on the host, in float64.

    JAX has no float64 unless it is told so, and 32 bits are too few for covariances and for counts
    of pixels. So networks run where the backend runs them, and what they return is added up in
    NumPy: the state is no variable. `update_state` and `result` run eagerly, in `tf.function`, and
    on the replicas of `tf.distribute`, whose parts of a batch all count; not inside of `jax.jit`.
    On several machines each process counts its own part.

    A subclass has `clear`, `add` and `compute`. Without samples a result is not a number, so that
    it is not the best of all.

    Args:
        name: of the metric.
        dtype: of the result.
        better: `"down"` or `"up"`: what `EarlyStopping` and `ModelCheckpoint` wait for.
    """

    shape: tuple = ()  # Of what `compute` returns.

    def __init__(self, name, dtype, better):
        super().__init__(dtype=dtype, name=name)
        self._direction = better
        self.reset_state()

    def clear(self):
        """Forgets all samples."""
        raise NotImplementedError

    def add(self, *arrays):
        """Adds what was computed of a batch, as NumPy arrays."""
        raise NotImplementedError

    def compute(self) -> float:
        """The result."""
        raise NotImplementedError

    def reset_state(self):
        """Forgets all samples."""
        self.clear()

    def result(self):
        """The metric of all samples so far, a scalar; NaN if they are too few."""
        value = backend.on_host(lambda: np.asarray(self.compute(), "float64"), shape=self.shape)
        return ops.cast(ops.convert_to_tensor(value), self.dtype)


def serialized(argument, function):
    """A function or object as a part of a config.

    Args:
        argument: its name.
        function: what was given.

    Raises:
        ValueError: for a Keras model, whose weights no config holds.
    """
    if isinstance(function, keras.Model):
        raise ValueError(
            f"`{argument}` is a Keras model: a config would lose its weights. Give an object that "
            "knows the file of its weights, as keras_spade.metrics.VGG16Features does, or a "
            "registered function that loads them."
        )
    return keras.saving.serialize_keras_object(function)


def deserialized(config, argument):
    """A config whose `argument` is an object again."""
    return {**config, argument: keras.saving.deserialize_keras_object(config[argument])}
