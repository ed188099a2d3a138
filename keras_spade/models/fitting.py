"""What of a `GauGAN` Keras' loops call, and where `fit` begins."""

import functools

import keras

from keras_spade.backends import backend
from keras_spade.models import calibration
from keras_spade.models.batch import check_values, read_batch
from keras_spade.models.keras_arguments import (
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
    """Trainings, evaluations and their steps."""

    training_step: TrainingStep

    def __init__(self, dtype=None, **kwargs):
        if dtype is not None:
            raise ValueError(
                f"`dtype`: a GauGAN computes in the dtypes of its networks; give {dtype!r} to them."
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
        """Whether this process writes files: on several workers, the first one does."""
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
        """Trains, as `keras.Model.fit` does, whose arguments these are.

        With a `callbacks.BackupAndRestore` it resumes where the last backup was made. Steps with a
        loss or gradient that is not finite are skipped, see `compile(max_skipped_steps=...)`.
        Datasets of `keras_spade.datasets` give the batches of the epoch that training is in, and
        for validation those of the first epoch each time. A dataset begins with the batch that
        stands after `initial_epoch` epochs; one without an end with its first. Of such a dataset
        the model's `classes` are taken, if it has none: names, colours, how label files are read.

        Raises:
            ValueError: for `sample_weight` and `class_weight`, as no loss has samples or classes
                that could be weighted.
            RuntimeError: after too many skipped steps, or if another worker is lost.
        """
        refuse_weights(sample_weight=sample_weight, class_weight=class_weight)
        for argument, data in (("x", x), ("validation_data", validation_data)):
            refuse_weights_of(argument, data)
        refuse_unused_validation(
            validation_split,
            validation_data,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
        )
        refuse_batch_size("batch_size", batch_size, x)
        refuse_batch_size("validation_batch_size", validation_batch_size, validation_data)
        x, y = maps_and_images(x, y)
        maps_and_images(*keras.utils.unpack_x_y_sample_weight(validation_data)[:2])
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
            return super().fit(**arguments)  # Keras says it best.
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

        Datasets of `keras_spade.datasets` give the batches of their first epoch.

        Raises:
            ValueError: for `sample_weight`, as in `fit`.
        """
        refuse_weights(sample_weight=sample_weight)
        refuse_weights_of("x", x)
        if "_use_cached_eval_dataset" not in kwargs:  # Keras' `fit` gives both.
            refuse_batch_size("batch_size", batch_size, x)
        x, y = maps_and_images(x, y)
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
        """Gives the losses of one batch, as `keras.Model.test_on_batch` does.

        Raises:
            ValueError: for `sample_weight`, as in `fit`.
        """
        refuse_weights(sample_weight=sample_weight)
        x, y = maps_and_images(x, y)
        return super().test_on_batch(x, y, return_dict=return_dict)

    @telling_data_errors
    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Paints label maps, as `keras.Model.predict` does: float32 images in [-1, 1]."""
        refuse_batch_size("batch_size", batch_size, x)
        return super().predict(x, batch_size, verbose, steps, callbacks)

    @telling_data_errors
    def predict_on_batch(self, x):
        """Paints one batch, as `keras.Model.predict_on_batch` does."""
        return super().predict_on_batch(x)

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
        """Makes what Keras' loop calls for a step of training."""
        self.check_trained_weights()
        if self.train_function is None or force:
            with backend.checking_first(self):
                super().make_train_function(force=True)
            counters = self.skipped_steps.counters
            self.train_function = self._guarded(self.train_function, "image", counters)

    def make_test_function(self, force=False):
        """Makes what Keras' loop calls for a step of evaluation."""
        if self.test_function is None or force:
            with backend.checking_first(self):
                super().make_test_function(force=True)
            self.test_function = self._guarded(self.test_function, "image")

    def make_predict_function(self, force=False):
        """Makes what Keras' loop calls for a step of painting."""
        if self.predict_function is None or force:
            with backend.checking_first(self):
                super().make_predict_function(force=True)
            self.predict_function = self._guarded(self.predict_function, "style_image")

    def _guarded(self, function, images, counters=()):
        check = functools.partial(check_values, generator=self.generator, images=images)
        return backend.guarded(self, function, check, counters)

    def prepare_batch(self, data) -> dict:
        """A batch as a step reads it: `"conditioning"`, a dict, and `"image"`, floats in [-1, 1].

        Args:
            data: as Keras hands it to a step.

        Raises:
            ValueError: as the step would.
        """
        batch = read_batch(data, self.generator, part=None)
        return {"conditioning": batch.conditioning, "image": batch.image}

    def check_trained_weights(self):
        """Raises if other weights are trainable now than when `compile` was called."""
        if not self.optimizers_fit:
            raise ValueError(
                "The weights that are trainable are not those that the optimizers were built for: "
                "after `trainable` has been changed, call `compile` again, with new optimizers."
            )

    def _symbolic_build(self, *args, **kwargs):
        """Does nothing: all is built; Keras would take a batch, and a mean of label ids."""

    def _maybe_symbolic_build(self, *args, **kwargs):
        """Does nothing, likewise."""

    # === The loop's state ===

    @property
    def metrics(self):
        """The averages of the losses, one each."""
        return list(self.loss_trackers)

    @property
    def metrics_variables(self):
        """The averages of the losses, and the counts of skipped steps, which go with them."""
        return super().metrics_variables + self.skipped_steps.counters
