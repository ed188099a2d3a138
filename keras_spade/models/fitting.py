"""The methods of a `GauGAN` for training and evaluation, and those that Keras' loops call."""

import functools

import keras

from keras_spade.backends import backend
from keras_spade.models import calibration
from keras_spade.models.batch import check_values, read_batch
from keras_spade.models.keras_arguments import (
    check_data,
    maps_and_images,
    refuse_batch_size,
    refuse_unused_validation,
    refuse_weights,
    refuse_weights_of,
)
from keras_spade.models.loss_average import track
from keras_spade.models.saving import Saving
from keras_spade.models.training_step import TrainingStep
from keras_spade.runs import classes_of, evaluation_data, telling_data_errors, training


class Fitting(Saving):
    """Training, evaluation and their steps."""

    training_step: TrainingStep

    def __init__(self, dtype=None, **kwargs):
        if dtype is not None:
            raise ValueError(
                f"`dtype`: a GauGAN computes in the dtypes of its networks; pass {dtype!r} to them."
            )
        super().__init__(**kwargs)
        self.swaps, self.loaded_swapped, self.statistics_of_averages = (), False, None

    # === Devices ===

    @property
    def replicas(self) -> int:
        """The number of replicas that train together, on all workers."""
        return backend.replicas(self)

    @property
    def workers(self) -> int:
        """The number of processes that train together."""
        return backend.workers(self)

    @property
    def writes_files(self) -> bool:
        """Whether this process writes files: with several workers, only the first one does."""
        return backend.writes_files(self)

    # === Whole trainings ===

    @telling_data_errors
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
        """Trains the model, with the arguments of `keras.Model.fit`.

        With a `callbacks.BackupAndRestore` it resumes from the last backup. Steps with a
        non-finite loss or gradient are skipped, see `compile(max_skipped_steps=...)`.

        Datasets of `keras_spade.datasets` yield the batches of the current epoch, and
        for validation always those of the first epoch. A dataset starts with the first batch
        after `initial_epoch` epochs; an infinite one with its first. If the model has no
        `classes`, they are taken from such a dataset: names, colours, label mapping.

        Raises:
            ValueError: for `sample_weight` and `class_weight`, which no loss supports.
            RuntimeError: after too many skipped steps, or if another worker is lost.
        """
        refuse_weights(sample_weight=sample_weight, class_weight=class_weight)
        refuse_weights_of("x", x)
        refuse_weights_of("validation_data", validation_data)
        refuse_unused_validation(
            x,
            validation_split,
            validation_data,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
        )
        refuse_batch_size("batch_size", batch_size, x)
        refuse_batch_size("validation_batch_size", validation_batch_size, validation_data)
        x, y = maps_and_images(x, y)
        check_data("x", x, y)
        validation = maps_and_images(*keras.utils.unpack_x_y_sample_weight(validation_data)[:2])
        if validation_data is not None:
            check_data("validation_data", *validation)
        arguments = {
            "x": x,
            "y": y,
            "batch_size": batch_size,
            "epochs": epochs,
            "verbose": verbose,
            "callbacks": callbacks,
            "validation_split": validation_split,
            "validation_data": validation_data,
            "shuffle": shuffle,
            "initial_epoch": initial_epoch,
            "steps_per_epoch": steps_per_epoch,
            "validation_steps": validation_steps,
            "validation_batch_size": validation_batch_size or batch_size,
            "validation_freq": validation_freq,
        }
        if not self.compiled:
            return super().fit(**arguments)  # Keras has a better message.
        if self.classes is None:
            self.classes = classes_of(x, self.generator.num_classes)
        with training(self, **arguments) as arguments:
            return super().fit(**arguments)

    @telling_data_errors
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

        Datasets of `keras_spade.datasets` yield the batches of their first epoch.

        Raises:
            ValueError: for `sample_weight`, as in `fit`.
        """
        refuse_weights(sample_weight=sample_weight)
        refuse_weights_of("x", x)
        if "_use_cached_eval_dataset" not in kwargs:  # Keras' `fit` passes both.
            refuse_batch_size("batch_size", batch_size, x)
        x, y = maps_and_images(x, y)
        check_data("x", x, y)
        return super().evaluate(
            evaluation_data(self, x),
            y,
            batch_size=batch_size,
            verbose=verbose,
            sample_weight=sample_weight,
            steps=steps,
            callbacks=callbacks,
            return_dict=return_dict,
            **kwargs,
        )

    @telling_data_errors
    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """Makes one step of training, as `keras.Model.train_on_batch` does.

        Raises:
            ValueError: for `sample_weight` and `class_weight`, as in `fit`.
        """
        refuse_weights(sample_weight=sample_weight, class_weight=class_weight)
        x, y = maps_and_images(x, y)
        return super().train_on_batch(x, y, return_dict=return_dict)

    @telling_data_errors
    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Returns the losses of one batch, as `keras.Model.test_on_batch` does.

        Raises:
            ValueError: for `sample_weight`, as in `fit`.
        """
        refuse_weights(sample_weight=sample_weight)
        x, y = maps_and_images(x, y)
        return super().test_on_batch(x, y, return_dict=return_dict)

    @telling_data_errors
    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Paints label maps, alone or in a pair, as `keras.Model.predict`: floats in [-1, 1]."""
        refuse_batch_size("batch_size", batch_size, x)
        return super().predict(maps_and_images(x, None)[0], batch_size, verbose, steps, callbacks)

    @telling_data_errors
    def predict_on_batch(self, x):
        """Paints one batch, as `keras.Model.predict_on_batch` does."""
        return super().predict_on_batch(maps_and_images(x, None)[0])

    calibrate = calibration.calibrate

    # === Steps, which Keras' loop calls ===

    def train_step(self, *arguments):
        """One update of generator and encoder, then one of the discriminator."""

        def step(data, part):
            self.check_trained_weights()
            batch = read_batch(data, self.generator, part)

            def update():
                losses = self.training_step(batch)
                return track(self.loss_trackers, losses, part, self.replicas, leave_out_bad=True)

            return backend.compiled(self, update, batch.tensors)

        return backend.run_step(self, step, *arguments)

    def test_step(self, *arguments):
        """The losses of a batch, in inference mode."""

        def step(data, part):
            batch = read_batch(data, self.generator, part)

            def evaluate():
                losses = self.objective.losses(batch, self.seed_generator, training=False)
                return track(self.loss_trackers, losses, part, self.replicas)

            return backend.compiled(self, evaluate, batch.tensors)

        return backend.run_step(self, step, *arguments)

    def predict_step(self, *arguments):
        """Paints a batch."""
        return backend.run_predict_step(super().predict_step, *arguments)

    def make_train_function(self, force=False):
        """Makes the function that Keras' loop calls for a training step."""
        self.check_trained_weights()
        if self.train_function is None or force:
            with backend.checking_first(self):
                super().make_train_function(force=True)
            counters = self.skipped_steps.counters
            self.train_function = self._guarded(self.train_function, "image", counters)

    def make_test_function(self, force=False):
        """Makes the function that Keras' loop calls for an evaluation step."""
        if self.test_function is None or force:
            with backend.checking_first(self):
                super().make_test_function(force=True)
            self.test_function = self._guarded(self.test_function, "image")

    def make_predict_function(self, force=False):
        """Makes the function that Keras' loop calls for a prediction step."""
        if self.predict_function is None or force:
            with backend.checking_first(self):
                super().make_predict_function(force=True)
            self.predict_function = self._guarded(self.predict_function, "style_image")

    def _guarded(self, function, images, counters=()):
        check = functools.partial(check_values, generator=self.generator, images=images)
        return backend.guarded(self, function, check, counters)

    def prepare_batch(self, data) -> dict:
        """Returns a batch as a step reads it: `"conditioning"`, a dict, and `"image"` in [-1, 1].

        Args:
            data: as Keras passes it to a step.

        Raises:
            ValueError: as the step would.
        """
        batch = read_batch(data, self.generator, part=None)
        return {"conditioning": batch.conditioning, "image": batch.image}

    def check_trained_weights(self):
        """Raises if the trainable weights have changed since `compile`."""
        if not self.optimizers_fit:
            raise ValueError(
                "The trainable weights are not those for which the optimizers were built: "
                "after changing `trainable`, call `compile` again, with new optimizers."
            )

    def _symbolic_build(self, *args, **kwargs):
        """Does nothing: everything is built; Keras would read a batch and average label ids."""

    _maybe_symbolic_build = _symbolic_build

    # === The loop's state ===

    @property
    def metrics(self):
        """The averages of the losses, one per loss."""
        return list(self.loss_trackers)

    @property
    def metrics_variables(self):
        """The averages of the losses, and the related counts of skipped steps."""
        return super().metrics_variables + self.skipped_steps.counters
