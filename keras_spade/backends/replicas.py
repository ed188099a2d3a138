"""What layers must know of other replicas: their sums, and whose samples stand where."""

import contextlib
import threading

import keras
from keras import ops

# Replicas are threads. What one of them is told here, the others do not see.
_replica = threading.local()


def sum_over_replicas(x):
    """Sums a tensor over the replicas of `tf.distribute`, differentiably.

    Args:
        x: a tensor, of the same shape on every replica.

    Returns:
        The sum over all replicas; `x` itself where there is one, or on other backends.
    """
    context = _replica_context()
    if context is None:
        return x
    import tensorflow as tf

    return context.all_reduce(tf.distribute.ReduceOp.SUM, _if_present(x))


@contextlib.contextmanager
def samples_present(present):
    """Tells the layers called inside whether this replica has samples of its own.

    The last batch of an epoch may hold fewer samples than there are replicas. TensorFlow's
    convolutions fail on empty batches, so a replica without samples computes with one that counts
    for nothing: not in sums over replicas, nor in the numbering of samples.

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
def drawing_outside(graph, tensors):
    """Noise is drawn in another graph: what a seed gives must not depend on XLA.

    Args:
        graph: the TensorFlow graph around the one that is being traced.
        tensors: in `graph`, the batch, which is waited for.
    """
    _replica.outside = (graph, tensors)
    try:
        yield
    finally:
        _replica.outside = None


def place_in_batch(samples):
    """Where this replica's samples stand among those of all replicas.

    Args:
        samples: how many this replica has.

    Returns:
        The number of the first one, and how many there are in all.
    """
    context = _replica_context()
    if context is None:
        return 0, samples
    everyone = ops.arange(context.num_replicas_in_sync, dtype="int32")
    here = ops.cast(context.replica_id_in_sync_group, "int32")
    counts = sum_over_replicas(ops.cast(everyone == here, "int32") * samples)
    return ops.sum(counts * ops.cast(everyone < here, "int32")), ops.sum(counts)


def normal_over_replicas(shape, dtype=None, seed=None):
    """Standard normal noise, one row a sample: the same however many replicas share the batch.

    Args:
        shape: `(samples of this replica, ...)`.
        dtype: of the noise.
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
    # A sample that counts for nothing may stand behind the last.
    rows = ops.minimum(first + ops.arange(shape[0], dtype="int32"), total - 1)
    return ops.take(noise, rows, axis=0)


def _if_present(x):
    present = getattr(_replica, "present", None)
    return x if present is None else x * ops.cast(present, x.dtype)


def _replica_context():
    """TensorFlow's context of this replica; `None` where there are no others."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return None if context is None or context.num_replicas_in_sync == 1 else context
