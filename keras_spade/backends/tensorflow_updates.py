"""Updates on TensorFlow that are skipped for non-finite losses and gradients."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from keras_spade.tensor import Tensor


def all_finite(tensors: Sequence[Tensor]) -> tf.Tensor:
    """Whether all tensors, on all replicas, and the sums of their squares, are finite."""
    wide = [tf.cast(x, tf.float32) if x.dtype.size < 4 else x for x in tensors]
    sums = tf.stack([tf.cast(tf.nn.l2_loss(x), tf.float64) for x in wide])
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    if replicas > 1:
        sums = context.all_reduce(tf.distribute.ReduceOp.SUM, sums)
    # `l2_loss` is half the sum of squares. The square of a sum over n replicas is at most n times
    # the sum of their squares. (NaN is not below the limit either.)
    limits = tf.constant([x.dtype.max for x in wide], tf.float64)
    return tf.reduce_all(sums * 2.0 * replicas <= limits)


def apply_or_undo(
    finite: tf.Tensor,
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[tf.Tensor],
    variables: Sequence[keras.Variable],
    statistics: Sequence[tf.Variable],
    before: Sequence[tf.Tensor],
) -> None:
    """Applies an optimizer if everything is finite; else restores the statistics.

    Args:
        finite: a boolean tensor, the same on every replica.
        optimizer: a Keras optimizer.
        gradients: the gradients of `variables` on this replica.
        variables: Keras variables.
        statistics: the `tf.Variable`s that the forward pass has changed.
        before: their previous values.
    """
    scales_loss = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)

    def update(gradients):
        if variables:  # All may be frozen.
            optimizer.apply(gradients, variables)

    def lower_loss_scale(gradients):
        # The optimizer itself checks for finite gradients, but only on the first replica.
        update([gradient * float("nan") for gradient in gradients])

    def either(finite, gradients, before, run, assign):
        def undo():
            for variable, value in zip(statistics, before, strict=True):
                assign(variable, value)
            if scales_loss:
                run(lower_loss_scale, gradients)
            return False

        def go_on():
            run(update, gradients)
            return True

        tf.cond(finite, go_on, undo)

    if tf.__internal__.distribute.strategy_supports_no_merge_call():
        either(
            finite,
            gradients,
            before,
            run=lambda function, gradients: function(gradients),
            assign=lambda variable, value: variable.assign(value),
        )
        return

    # Optimizers merge replicas, which is not allowed in a condition inside a replica. So the
    # condition is outside of the replicas, as in Keras' LossScaleOptimizer.
    def across_replicas(strategy, finite, gradients, before):
        extended = strategy.extended
        either(
            strategy.experimental_local_results(finite)[0],
            gradients,
            before,
            run=lambda function, gradients: extended.call_for_each_replica(function, (gradients,)),
            assign=lambda variable, value: extended.update(
                variable, lambda variable, value: variable.assign(value), args=(value,)
            ),
        )

    context = tf.distribute.get_replica_context()
    context.merge_call(across_replicas, args=(finite, gradients, before))
