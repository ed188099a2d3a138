"""Functions of layers across replicas: sums, and the positions of samples in the batch."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import keras
from keras import ops

from keras_spade.tensor import Tensor

if TYPE_CHECKING:
    import tensorflow as tf


# Replicas are threads; each has its own values.
_replica = threading.local()


def sum_over_replicas(x: Tensor) -> Tensor:
    """Sums a tensor over the replicas of `tf.distribute`, differentiably.

    Args:
        x: a tensor, of the same shape on every replica.

    Returns:
        The sum over all replicas; `x` itself on a single replica or on other backends.
    """
    context = _replica_context()
    if context is None:
        return x
    import tensorflow as tf

    return context.all_reduce(tf.distribute.ReduceOp.SUM, _if_present(x))


@contextlib.contextmanager
def samples_present(present: Tensor) -> Iterator[None]:
    """Informs the layers called inside whether this replica has samples of its own.

    The last batch of an epoch may hold fewer samples than there are replicas. TensorFlow's
    convolutions fail on empty batches, so a replica without samples computes with a dummy sample,
    which is counted neither in sums over replicas nor in the numbering of samples.

    Args:
        present: a boolean tensor.
    """
    before = getattr(_replica, "present", None)
    _replica.present = present
    try:
        yield
    finally:
        _replica.present = before


@contextlib.contextmanager
def drawing_outside(graph: "tf.Graph", tensors: Sequence[Tensor]) -> Iterator[None]:
    """Draws noise in an outer graph, so that the values of a seed do not depend on XLA.

    Args:
        graph: the TensorFlow graph around the one being traced.
        tensors: the batch's tensors in `graph`, for which drawing waits.
    """
    _replica.outside = (graph, tensors)
    try:
        yield
    finally:
        _replica.outside = None


def place_in_batch(samples: Tensor) -> tuple[Tensor, Tensor]:
    """The position of this replica's samples among those of all replicas.

    Args:
        samples: the number of samples on this replica.

    Returns:
        The index of the first one, and the total number of samples.
    """
    context = _replica_context()
    if context is None:
        return 0, samples
    everyone = ops.arange(context.num_replicas_in_sync, dtype="int32")
    here = ops.cast(context.replica_id_in_sync_group, "int32")
    counts = sum_over_replicas(ops.cast(everyone == here, "int32") * samples)
    return ops.sum(counts * ops.cast(everyone < here, "int32")), ops.sum(counts)


def normal_over_replicas(
    shape: Sequence[Tensor],
    dtype: str | None = None,
    seed: int | keras.random.SeedGenerator | None = None,
) -> Tensor:
    """Standard normal noise, one row per sample, independent of the number of replicas.

    Args:
        shape: `(samples of this replica, ...)`.
        dtype: dtype of the noise.
        seed: an int, a `keras.random.SeedGenerator`, or `None`.

    Returns:
        A tensor.
    """
    outside = getattr(_replica, "outside", None)
    if outside is not None:
        graph, tensors = outside
        with graph.as_default(), graph.control_dependencies(tensors):
            samples = ops.shape(tensors[0])[0]
            return keras.random.normal((samples, *shape[1:]), dtype=dtype, seed=seed)
    if _replica_context() is None:
        return keras.random.normal(shape, dtype=dtype, seed=seed)
    first, total = place_in_batch(shape[0])
    noise = keras.random.normal((total, *shape[1:]), dtype=dtype, seed=seed)
    # A dummy sample may be beyond the last row.
    rows = ops.minimum(first + ops.arange(shape[0], dtype="int32"), total - 1)
    return ops.take(noise, rows, axis=0)


def _if_present(x):
    present = getattr(_replica, "present", None)
    return x if present is None else x * ops.cast(present, x.dtype)


def _replica_context():
    """TensorFlow's context of this replica; `None` if there are no others."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return None if context is None or context.num_replicas_in_sync == 1 else context
