"""Whole trainings: where `fit` begins, what it trains on, and what stands around its steps."""

import contextlib

from keras_spade.trainers.resuming import (
    KeepsWeights,
    begin_with_weights,
    end_with_averages,
    split_callbacks,
    swapping,
    with_own_averages,
)
from keras_spade.trainers.skipped_steps import StopOnSkippedSteps
from keras_spade.trainers.streams import is_tf_dataset


class Fitting:
    """The part of a trainer that all backends share: a mixin in front of `keras.Model`.

    A backend's trainer says more about `together`, `begin`, `training_data`, `evaluation_data` and
    `passing_over`, where it has to.
    """

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
        if is_tf_dataset(x):
            data["shuffle"] = False  # It shuffles itself, or not.
        if backup is not None and validation_split:
            raise ValueError(
                "`validation_split` cannot be used with BackupAndRestore; give the samples as "
                "`validation_data`."
            )
        with self.together(backup):
            epoch, step = self.begin(backup, initial_epoch)
            if backup is not None and verbose and backup.restored:
                print(
                    f"Going on from {backup.directory}: epoch {epoch + 1}, step {step + 1}."
                    if epoch < epochs
                    else f"The training in {backup.directory} has ended, after epoch {epoch}."
                )
            data = self.training_data(data, (epoch, step), epochs, backup)
            arguments["validation_data"] = self.evaluation_data(validation_data)
            watch = StopOnSkippedSteps(
                self.skipped_steps,
                self.max_skipped_steps,
                goes_on=bool(backup and backup.restored),
            )
            callbacks = [*with_own_averages(callbacks), watch]
            swaps = swapping(callbacks)
            if backup is not None:
                if backup.restored:
                    begin_with_weights(callbacks)
                callbacks = [*([KeepsWeights(backup)] if swaps else []), *callbacks, backup]
            with self._without_steps_made_before(step, backup):
                history = super().fit(callbacks=callbacks, initial_epoch=epoch, **arguments, **data)
            end_with_averages(self, swaps)
            return history

    @contextlib.contextmanager
    def _without_steps_made_before(self, steps, backup):
        """Stands in front of the train function while it would repeat steps that were made."""
        self.make_train_function()
        train_function = self.train_function
        if steps:
            self.train_function = self.passing_over(train_function, steps, backup.restore_metrics)
        try:
            yield
        finally:
            self.train_function = train_function

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
        return super().evaluate(self.evaluation_data(x), y, **arguments, **kwargs)

    def _symbolic_build(self, *args, **kwargs):
        """Does nothing: all is built; Keras would take a batch, and a mean of label ids."""

    # === What a backend may say more about ===

    def together(self, backup):
        """A context for a training: what to say if another worker is lost."""
        return contextlib.nullcontext()

    def begin(self, backup, initial_epoch):
        """Goes back to a backup; the epoch and step that training begins with."""
        return (initial_epoch, 0) if backup is None else backup.restore(self, initial_epoch)
