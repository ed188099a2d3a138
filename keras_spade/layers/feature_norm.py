"""All activation norms of the package: synchronised batch, batch and instance norm."""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_spade.backends import layers as kernels
from keras_spade.backends.replicas import sum_over_replicas
from keras_spade.precision import full_precision, full_precision_dtype
from keras_spade.tensor import Tensor

NORMS = ("sync_batch", "batch", "instance")

# Replicas are threads; each collects its own moments.
_collection = threading.local()


@dataclasses.dataclass(frozen=True, eq=False)
class Moments:
    """Mean and variance of activations, and the number of values per channel.

    Keras passes the object between layers unchanged; it would cast the tensors of a tuple.

    Args:
        centered: the activations minus their mean.
        mean: per channel; with instance norm, per image and channel.
        variance: the biased variance; the unbiased one if `normalized` is set.
        count: the number of values per channel; `None` if it is not needed.
        normalized: the normalised activations, on backends that compute them directly; then
            `centered` is `None`.
    """

    centered: Any
    mean: Any
    variance: Any
    count: Any
    normalized: Any = None


@contextlib.contextmanager
def collecting_moments() -> Iterator[dict["FeatureNorm", list[Moments]]]:
    """Makes batch norms normalise by their batch without updating moving statistics.

    Frozen batch norms work as in inference.

    Yields:
        A dict that maps each `FeatureNorm` to a list of the `Moments` of its calls.
    """
    before = getattr(_collection, "moments", None)
    _collection.moments = collected = {}
    try:
        yield collected
    finally:
        _collection.moments = before


class Normalized(NamedTuple):
    """Normalised activations, `value * scale + offset`, before they are multiplied out.

    Args:
        value: the centred activations; in inference with a batch norm, the activations.
        scale: `(channels,)`, with instance norm `(batch, 1, 1, channels)`; `None` if `value` is
            already normalised, in any float dtype.
        offset: the same shape, or `None` for zero.
    """

    value: Any
    scale: Any
    offset: Any

    def assembled(self) -> Tensor:
        """The activations."""
        if self.scale is None:
            return self.value
        y = self.value * _row(self.scale, self.value)
        return y if self.offset is None else y + _row(self.offset, self.value)


@keras.saving.register_keras_serializable(package="keras_spade")
class FeatureNorm(keras.layers.Layer):
    """Normalises activations per channel, by default without learned parameters.

    `y = (x - mean) / sqrt(variance + epsilon)`, with mean and (biased) variance over

    - `"sync_batch"`: batch and space, over all replicas of the distribution strategy;
    - `"batch"`: batch and space of a single replica;
    - `"instance"`: space only, in training and inference alike.

    The batch norms keep moving statistics for inference. The moving variance uses the unbiased
    batch variance, as in PyTorch but unlike Keras' `BatchNormalization`. In a frozen
    layer (`trainable = False`) they stay constant and are also used in training, as in Keras.

    The reference implementation replaces `variance + epsilon` by `max(variance, epsilon)` when it
    trains on several devices. This layer does not: its result does not depend on the number of
    replicas.

    Args:
        norm: `"sync_batch"`, `"batch"` or `"instance"`.
        affine: whether to learn a scale and an offset per channel. SPADE needs neither.
        momentum: fraction of the old moving statistic kept at each training call.
        epsilon: added to the variance.

    Call arguments:
        x: float activations, `(batch, H, W, channels)`.
        training: whether to use the batch's statistics and update the moving ones.

    Returns:
        The normalised activations, same shape.

    Raises:
        ValueError: for an unknown `norm`, or for instance norm of 1 x 1 maps, which is always zero.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import FeatureNorm
    >>> y = FeatureNorm("instance")(np.random.rand(2, 8, 8, 3).astype("float32"))
    >>> bool(abs(np.mean(np.array(y))) < 1e-5)
    True

    Reference: Park et al. 2019 (arXiv 1903.07291), section 3 and appendix A.
    """

    def __init__(
        self,
        norm: str = "sync_batch",
        affine: bool = False,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if norm not in NORMS:
            raise ValueError(f"`norm` must be one of {NORMS}, got {norm!r}.")
        self.norm = norm
        self.affine = affine
        self.momentum = momentum
        self.epsilon = epsilon
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        """Creates the statistics, and scale and offset if `affine`."""
        channels = (input_shape[-1],)
        if self.norm == "instance":
            if tuple(input_shape[1:3]) == (1, 1):
                raise ValueError(
                    f"FeatureNorm {self.name!r}: instance norm of 1 x 1 maps is always zero; "
                    f"choose larger images or a batch norm (input shape {tuple(input_shape)})."
                )
        else:
            self.moving_mean = self._statistic("moving_mean", channels, "zeros")
            self.moving_variance = self._statistic("moving_variance", channels, "ones")
        if self.affine:
            self.gamma = self.add_weight(
                name="gamma", shape=channels, initializer="ones", autocast=False
            )
            self.beta = self.add_weight(
                name="beta", shape=channels, initializer="zeros", autocast=False
            )

    def _statistic(self, name, shape, initializer):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            trainable=False,
            autocast=False,
            dtype=full_precision_dtype(self.variable_dtype),
            aggregation="mean",
        )

    def call(self, x, training=False):
        """Normalises `x`."""
        y = self.parts(x, training).assembled()
        if self.affine:
            y = y * full_precision(self.gamma) + full_precision(self.beta)
        return ops.cast(y, self.compute_dtype)

    def parts(
        self, x: Tensor, training: bool = False, moments: Moments | None = None
    ) -> Normalized:
        """The normalisation as `value * scale + offset`, for layers that process these further.

        Updates the moving statistics as `call` does, and omits the learned scale and offset of
        `affine`.

        Args:
            x: float activations.
            training: as in `call`.
            moments: the result of `moments(x)` if already computed, else `None`.

        Returns:
            `Normalized`.
        """
        if not self.uses_moments(training):
            statistics = (self.moving_mean, self.moving_variance, self.epsilon)
            y = kernels.normalized_by(x, *statistics)
            if y is not None:
                return Normalized(y, None, None)
            scale = ops.rsqrt(self.moving_variance + self.epsilon)
            return Normalized(full_precision(x), scale, -self.moving_mean * scale)
        moments = self.moments(x) if moments is None else moments
        collected = getattr(_collection, "moments", None)
        if self.norm != "instance" and collected is not None:
            collected.setdefault(self, []).append(moments)
        elif self.norm != "instance":
            variance, count = moments.variance, moments.count
            if moments.normalized is None:
                variance = variance * count / ops.maximum(count - 1.0, 1.0)
            self._move(self.moving_mean, moments.mean)
            self._move(self.moving_variance, variance)
        if moments.normalized is not None:
            return Normalized(moments.normalized, None, None)
        return Normalized(moments.centered, ops.rsqrt(moments.variance + self.epsilon), None)

    def uses_moments(self, training: bool) -> bool:
        """Whether a call normalises by the moments of its activations."""
        collects = getattr(_collection, "moments", None) is not None
        return self.norm == "instance" or bool((training or collects) and self.trainable)

    def moments(self, x: Tensor) -> Moments:
        """Mean and variance of activations, and the activations centred or normalised.

        Two norms of the same activations can share them.

        Args:
            x: float activations.

        Returns:
            `Moments`.
        """
        if self.norm == "instance":
            y = kernels.instance_normalized(x, self.epsilon)
            if y is not None:
                return Moments(None, None, None, None, y)
            x = full_precision(x)
            mean = _mean_over_space(x)
            centered = x - _row(mean, x)
            return Moments(centered, mean, _mean_over_space(ops.square(centered)), None)
        if getattr(_collection, "moments", None) is None:
            found = kernels.batch_normalized(x, self.epsilon, self.moving_mean.dtype)
            if found is not None:
                y, mean, variance = found
                return Moments(None, mean, variance, None, y)
        x = full_precision(x)
        everywhere = sum_over_replicas if self.norm == "sync_batch" else lambda value: value
        batch, height, width = ops.shape(x)[:3]
        count = everywhere(ops.cast(batch * height * width, x.dtype))
        mean = everywhere(_sum(x)) / count
        centered = x - _row(mean, x)
        variance = everywhere(_sum(ops.square(centered))) / count
        return Moments(centered, mean, variance, count)

    def _move(self, moving, value):
        new = self.momentum * moving + (1.0 - self.momentum) * ops.stop_gradient(value)
        moving.assign(ops.cast(new, moving.dtype))

    def compute_output_shape(self, input_shape):
        """The shape of the input."""
        return input_shape

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "norm": self.norm,
            "affine": self.affine,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


def _mean_over_space(x):
    return ops.mean(ops.mean(x, axis=2, keepdims=True), axis=1, keepdims=True)


def _sum(x):
    # Axis by axis: in a single reduction, TensorFlow sums a large map sequentially on a CPU, and
    # rounding errors reach 1e-5.
    return ops.sum(ops.sum(ops.sum(x, axis=2), axis=1), axis=0)


def _row(statistic, x):
    # Broadcast over the width first, so that the gradient is also summed axis by axis.
    return ops.broadcast_to(statistic, (*ops.shape(statistic)[:-2], *ops.shape(x)[2:]))
