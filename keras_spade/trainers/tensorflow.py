"""Training on TensorFlow: gradients, updates, replicas, and where `fit` begins."""

import contextlib
import functools

import keras
import tensorflow as tf

from keras_spade.replicas import place_in_batch, samples_present
from keras_spade.trainers.resuming import (
    KeepsWeights,
    StepsMadeBefore,
    begin_with_weights,
    end_with_averages,
    split_callbacks,
    swapping,
)
from keras_spade.trainers.skipped_steps import StopOnSkippedSteps
from keras_spade.trainers.tensorflow_streams import one_epoch, shard_by_samples, training_stream
from keras_spade.trainers.tensorflow_updates import all_finite, apply_or_undo
from keras_spade.trainers.tensorflow_workers import (
    check_same_place,
    losing_no_worker,
    wait_for_all,
)


class Trainer:
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

    def check_label_range(self, labels, num_classes):
        """Fails, naming the range, on ids outside `0..num_classes-1`."""
        message = f"`labels` must hold ids 0..{num_classes - 1}; found (smallest, largest):"
        low, high = tf.reduce_min(labels), tf.reduce_max(labels)
        ok = tf.logical_and(low >= 0, high < num_classes)
        with tf.control_dependencies([tf.debugging.Assert(ok, [message, low, high])]):
            return tf.identity(labels)

    # === Whole trainings ===

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ):
        """Trains, as `keras.Model.fit` does, whose arguments these are.

        With a `callbacks.BackupAndRestore` it goes on where the last backup was made. Steps with a
        loss or gradient that is not finite are skipped, see `compile(max_skipped_steps=...)`.
        Datasets of `keras_spade.datasets` give the batches of the epoch that training is in, and
        for validation those of the first epoch each time. A dataset begins with the batch that
        stands after `initial_epoch` epochs; one without an end with its first.

        Raises:
            RuntimeError: after too many skipped steps, or if another worker is lost.
        """
        arguments = {
            "epochs": epochs,
            "verbose": verbose,
            "validation_split": validation_split,
            "validation_steps": validation_steps,
            "validation_batch_size": validation_batch_size or batch_size,
            "validation_freq": validation_freq,
        }
        data = {"x": x, "y": y, "batch_size": batch_size, "shuffle": shuffle}
        data |= {"steps_per_epoch": steps_per_epoch, "sample_weight": sample_weight}
        data |= {"class_weight": class_weight}
        if not self.compiled:
            return super().fit(**arguments, **data)  # Keras says it best.
        callbacks, backup = split_callbacks(callbacks)
        if isinstance(x, tf.data.Dataset):
            data["shuffle"] = False  # It shuffles itself, or not.
        if backup is not None and validation_split:
            raise ValueError(
                "`validation_split` cannot be used with BackupAndRestore; give the samples as "
                "`validation_data`."
            )
        with losing_no_worker(self.workers, backup):
            epoch, step = self._restore(backup, initial_epoch)
            if backup is not None and verbose and backup.restored:
                print(
                    f"Going on from {backup.directory}: epoch {epoch + 1}, step {step + 1}."
                    if epoch < epochs
                    else f"The training in {backup.directory} has ended, after epoch {epoch}."
                )
            data = training_stream(self, data, (epoch, step), epochs, backup) or data
            arguments["validation_data"] = self._for_evaluation(validation_data)
            if self.workers > 1:
                data["x"] = shard_by_samples(data["x"])

            self.make_train_function()
            train_function = self.train_function
            if step:
                self.train_function = StepsMadeBefore(self, step, backup.restore_metrics)
            callbacks = [*callbacks, StopOnSkippedSteps(goes_on=bool(backup and backup.restored))]
            swaps = swapping(callbacks)
            if backup is not None:
                if backup.restored:
                    begin_with_weights(callbacks)
                callbacks = [*([KeepsWeights(backup)] if swaps else []), *callbacks, backup]
            try:
                history = super().fit(callbacks=callbacks, initial_epoch=epoch, **arguments, **data)
            finally:
                self.train_function = train_function
            end_with_averages(self, swaps)
            return history

    def _restore(self, backup, initial_epoch):
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

    def _for_evaluation(self, data):
        """Data, of which a dataset gives the same batches each time, each shared by all workers."""
        data = one_epoch(data)
        return shard_by_samples(data) if self.workers > 1 else data

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        **kwargs,
    ):
        """Averages the losses in inference mode, as `keras.Model.evaluate` does.

        Datasets of `keras_spade.datasets` give the batches of their first epoch.
        """
        arguments = {"steps": steps, "callbacks": callbacks, "return_dict": return_dict}
        arguments |= {"batch_size": batch_size, "verbose": verbose, "sample_weight": sample_weight}
        return super().evaluate(self._for_evaluation(x), y, **arguments, **kwargs)

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
