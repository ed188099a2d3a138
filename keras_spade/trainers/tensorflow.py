"""Training on TensorFlow: gradients, updates, replicas, and where `fit` begins."""

import contextlib
import functools

import keras
import tensorflow as tf

from keras_spade.replicas import place_in_batch, samples_present
from keras_spade.trainers.fitting import Fitting
from keras_spade.trainers.resuming import StepsMadeBefore
from keras_spade.trainers.tensorflow_streams import one_epoch, shard_by_samples, training_stream
from keras_spade.trainers.tensorflow_updates import all_finite, apply_or_undo
from keras_spade.trainers.tensorflow_workers import (
    check_same_place,
    losing_no_worker,
    wait_for_all,
)


class Trainer(Fitting):
    """What `GauGAN` needs of TensorFlow: a mixin in front of `keras.Model`."""

    # === Steps, on one replica ===

    def train_step(self, data):
        """One update of generator and encoder, then one of the discriminator."""
        with self._prepared(data) as batch:
            return self._logs(self.track(self.training_losses(batch), batch, leave_out_bad=True))

    def test_step(self, data):
        """The losses of a batch, in inference mode."""
        with self._prepared(data) as batch:
            return self._logs(self.track(self.evaluation_losses(batch), batch))

    def predict_step(self, data):
        """Paints a batch."""
        with _samples(data) as (data, count):
            return super().predict_step(data)[:count]

    @contextlib.contextmanager
    def _prepared(self, data):
        """A batch as the steps take it, with the global batch's size and this replica's share."""
        with _samples(data) as (data, count):
            batch = self.prepare_batch(data)
            _, total = place_in_batch(tf.shape(batch["image"])[0])
            share = tf.cast(count, tf.float64) / tf.cast(total, tf.float64)
            yield batch | {"total": total, "share": share}

    def _logs(self, values):
        # Keras takes means over workers along an axis that scalars have not.
        return {k: tf.reshape(v, (1,)) for k, v in values.items()} if self.workers > 1 else values

    def minimize(self, losses, variables, optimizer, statistics=(), share=1.0):
        """Differentiates the sum of `losses()` and applies the optimizer, if all is finite.

        Args:
            losses: function that returns a dict of scalars, each a mean over this replica's batch.
            variables: what to differentiate by.
            optimizer: of these variables.
            statistics: variables that `losses` changes; if not all is finite, they get back the
                values of before.
            share: of the global batch, which this replica's losses count with.

        Returns:
            The losses, and whether the update was skipped. Where loss scaling finds its scale by
            overflows, that does not count as skipped.
        """
        statistics = [variable.value for variable in statistics]
        before = [tf.identity(variable) for variable in statistics]
        with tf.GradientTape() as tape:
            values = losses()
            # Keras optimizers sum gradients over replicas.
            total = tf.add_n(list(values.values()))
            total = total * tf.cast(share, total.dtype)
            scaled = optimizer.scale_loss(total)
        gradients = tape.gradient(scaled, variables)
        pairs = [pair for pair in zip(gradients, variables, strict=True) if pair[0] is not None]
        if not pairs:
            return values, tf.constant(False)
        gradients, variables = map(list, zip(*pairs, strict=True))
        finite = all_finite([total, *gradients])
        skipped = tf.logical_not(finite)
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            searching = optimizer.dynamic_scale > 1.0
            skipped &= tf.logical_not(searching & all_finite([total]))
        apply_or_undo(finite, optimizer, gradients, variables, statistics, before)
        return values, skipped

    def without_gradients(self):
        """A context for what is a constant to the gradients; TensorFlow finds out by itself."""
        return contextlib.nullcontext()

    def check_label_range(self, labels, num_classes):
        """Fails, naming the range, on ids outside `0..num_classes-1`."""
        message = f"`labels` must hold ids 0..{num_classes - 1}; found (smallest, largest):"
        low, high = tf.reduce_min(labels), tf.reduce_max(labels)
        ok = tf.logical_and(low >= 0, high < num_classes)
        with tf.control_dependencies([tf.debugging.Assert(ok, [message, low, high])]):
            return tf.identity(labels)

    # === Whole trainings ===

    def together(self, backup):
        """A context for a training: what to say if another worker is lost."""
        return losing_no_worker(self.workers, backup)

    def begin(self, backup, initial_epoch):
        """Goes back to a backup, on all workers; the epoch and step that training begins with."""
        check = None
        if self.workers > 1:
            # What the first one did before, with the folder for example, is done for all.
            wait_for_all(self.distribute_strategy)
            check = functools.partial(check_same_place, self.distribute_strategy)
        if backup is not None:
            return backup.restore(self, initial_epoch, check)
        if check is not None:
            check((initial_epoch, 0), 0)
        return initial_epoch, 0

    def training_data(self, data, place, epochs, backup):
        """The arguments of `fit` that are data, so that they begin at a place."""
        data = training_stream(self, data, place, epochs, backup) or data
        return data | {"x": shard_by_samples(data["x"])} if self.workers > 1 else data

    def evaluation_data(self, data):
        """Data, of which a dataset gives the same batches each time, each shared by all workers."""
        data = one_epoch(data)
        return shard_by_samples(data) if self.workers > 1 else data

    def passing_over(self, train_function, steps, restore_metrics):
        """A train function that passes over its first steps, which were made before."""
        return StepsMadeBefore(self, train_function, steps, restore_metrics)

    def _maybe_symbolic_build(self, *args, **kwargs):
        """Does nothing: all is built; Keras would take a batch, and a mean of label ids."""

    def paint(self, inputs):
        """Paints arrays, on one replica: without the others, a worker can do it alone."""
        if self.replicas == 1:
            return self.predict_on_batch(inputs)
        if self.run_eagerly:
            return self(inputs, training=False)
        if self._paint_function is None:
            self._paint_function = tf.function(
                lambda inputs: self(inputs, training=False), reduce_retracing=True
            )
        return self._paint_function(inputs)

    _paint_function = None

    # === Replicas and workers ===

    @property
    def workers(self):
        """The number of processes that train together."""
        if self.replicas == 1:
            return 1
        return self.replicas // len(self.distribute_strategy.extended.worker_devices)

    @property
    def replicas(self):
        """The number of replicas that train together, on all workers."""
        return self.distribute_strategy.num_replicas_in_sync

    @property
    def writes_files(self):
        """Whether this process writes files: on several workers, the first one does."""
        return self.distribute_strategy.extended.should_checkpoint

    def scope(self):
        """Where variables are made so that they fit those of the model."""
        return self.distribute_strategy.scope()

    def check_variables(self, **groups):
        """Raises if variables were made outside of the strategy's scope, naming the argument."""
        extended = self.distribute_strategy.extended
        for argument, variables in groups.items():
            if not all(extended.variable_created_in_scope(v.value) for v in variables):
                raise ValueError(
                    f"`{argument}` was not made in the `strategy.scope()` that the model was made "
                    "in. Make networks, model and optimizers in one `with strategy.scope():`."
                )


@contextlib.contextmanager
def _samples(data):
    """The batch of this replica, at least one sample, and how many of them count."""
    arrays = [array for array in keras.tree.flatten(data) if array is not None]
    count = tf.shape(arrays[0])[0]
    if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
        yield data, count
        return

    def at_least_one(array):
        missing = tf.maximum(1 - tf.shape(array)[0], 0)
        return tf.pad(array, [[0, missing], *([[0, 0]] * (len(array.shape) - 1))])

    data = keras.tree.map_structure(lambda x: None if x is None else at_least_one(x), data)
    with samples_present(count > 0):
        yield data, count
