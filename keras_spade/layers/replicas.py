"""What a layer must know of other replicas: their sums."""

import keras


def sum_over_replicas(x):
    """Sums a tensor over the replicas of `tf.distribute`, differentiably.

    Args:
        x: a tensor, of the same shape on every replica.

    Returns:
        The sum over all replicas; `x` itself where there is one, or on other backends.
    """
    if keras.backend.backend() != "tensorflow":
        return x
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return x
    return context.all_reduce(tf.distribute.ReduceOp.SUM, x)
