"""The methods of a `GauGAN` for training and evaluation, and those that Keras' loops call."""

import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_spade.backends import backend
from keras_spade.models import steps
from keras_spade.models.batch import read_batch
from keras_spade.models.calibration import calibrate
from keras_spade.models.compiling import check_trained_weights
from keras_spade.models.keras_arguments import (
    check_data,
    checked_arguments_of_fit,
    maps_and_images,
    refuse_batch_size,
    refuse_weights,
    refuse_weights_of,
)
from keras_spade.models.saving import Saving
from keras_spade.models.training_step import TrainingStep
from keras_spade.runs import classes_of, evaluation_data, telling_data_errors, training


class Fitting(Saving):
    """Training, evaluation and their steps."""

    training_step: TrainingStep
    loop_steps: dict[str, int | None]  # By loop: the steps after which it stops reading.

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
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: None = None,
        sample_weight: None = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> keras.callbacks.History:
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
        arguments = checked_arguments_of_fit(
            x=x,
            y=y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
        )
        if not self.compiled:
            return super().fit(**arguments)  # Keras has a better message.
        if self.classes is None:
            self.classes = classes_of(arguments["x"], self.generator.num_classes)
        with training(self, **arguments) as arguments:
            self.loop_steps["train"] = arguments["steps_per_epoch"]
            return super().fit(**arguments)

    @telling_data_errors
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: None = None,
        steps: int | None = None,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> list[float] | dict[str, float]:
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
        self.loop_steps["test"] = steps
        return super().evaluate(
            evaluation_data(self, x),
            y,
            batch_size=batch_size,
            verbose=verbose,
            steps=steps,
            callbacks=callbacks,
            return_dict=return_dict,
            **kwargs,
        )

    @telling_data_errors
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: None = None,
        class_weight: None = None,
        return_dict: bool = False,
    ) -> list | dict:
        """Makes one step of training, as `keras.Model.train_on_batch` does.

        Raises:
            ValueError: for `sample_weight` and `class_weight`, as in `fit`.
        """
        refuse_weights(sample_weight=sample_weight, class_weight=class_weight)
        x, y = maps_and_images(x, y)
        return super().train_on_batch(x, y, return_dict=return_dict)

    @telling_data_errors
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: None = None, return_dict: bool = False
    ) -> list | dict:
        """Returns the losses of one batch, as `keras.Model.test_on_batch` does.

        Raises:
            ValueError: for `sample_weight`, as in `fit`.
        """
        refuse_weights(sample_weight=sample_weight)
        x, y = maps_and_images(x, y)
        return super().test_on_batch(x, y, return_dict=return_dict)

    @telling_data_errors
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
    ) -> np.ndarray:
        """Paints label maps, alone or in a pair, as `keras.Model.predict`: floats in [-1, 1]."""
        refuse_batch_size("batch_size", batch_size, x)
        self.loop_steps["predict"] = steps
        return super().predict(maps_and_images(x, None)[0], batch_size, verbose, steps, callbacks)

    @telling_data_errors
    def predict_on_batch(self, x: Any) -> np.ndarray:
        """Paints one batch, as `keras.Model.predict_on_batch` does."""
        return super().predict_on_batch(maps_and_images(x, None)[0])

    @telling_data_errors
    def calibrate(
        self,
        dataset: Any,
        batches: int | None = None,
        batch_size: int | None = None,
        seed: int | None = None,
        verbose: str | int = "auto",
    ) -> None:
        """Sets the moving statistics of generator and encoder to those of many batches.

        A batch norm paints with moving statistics, exponential averages over about the last ten
        batches, while the weights were changing. After this call they are the moments of all
        `batches` together, over samples, rows and columns, for the current weights:

            moving_mean = E[x],  moving_variance = E[x^2] - E[x]^2

        If the generator's optimizer keeps averages of the weights, the same pass also computes
        their statistics, which `averaged()` and `export` use until training resumes. (While a
        `SwapEMAWeights` has put the averages into the model, they are the weights.)

        Nothing else changes: weights, spectral norms, the noise of training, optimizers and frozen
        parts stay the same, and training resumes unaffected. Instance norms have no statistics.
        Call it after training, with the training data and their batch size, then save.

        Args:
            dataset: batches in a form that `fit` accepts, or arrays. Datasets of
                `keras_spade.datasets` yield the batches of their first epoch.
            batches: number of batches; `None`, or more than there are: all of them.
            batch_size: with arrays only: samples per batch, 32 if `None`.
            seed: of the latents, drawn as in training: from the encoder's posterior, or a standard
                normal. `None`: the latents that training would draw next.
            verbose: as in `evaluate`.

        Raises:
            ValueError: naming the invalid argument; for batches that `fit` would refuse; for a
                `keras.layers.BatchNormalization`; if a statistic is not finite. Nothing changes.

        Example:

        >>> import numpy as np
        >>> from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator
        >>> generator = SPADEGenerator(4, (32, 32, 3), latent_dim=None, base_filters=2)
        >>> gan = GauGAN(generator, MultiScaleDiscriminator(4, (32, 32, 3), base_filters=2))
        >>> labels = np.random.randint(0, 4, (6, 32, 32))
        >>> image = np.random.uniform(-1, 1, (6, 32, 32, 3)).astype("float32")
        >>> gan.calibrate({"labels": labels, "image": image}, batch_size=2, verbose=0)
        >>> norm = gan.generator.get_layer("head_0").norm_0.feature_norm
        >>> bool(np.abs(np.array(norm.moving_mean)).max() > 0)  # was zero
        True

        Reference: Ioffe and Szegedy 2015 (arXiv 1502.03167), algorithm 2, with statistics of many
        batches after training; Park et al. 2019 (arXiv 1903.07291), section 3, equations 2 and 3.
        """
        calibrate(self, dataset, batches, batch_size, seed, verbose)

    # === Steps, which Keras' loop calls ===

    def train_step(self, *arguments):
        """One update of generator and encoder, then one of the discriminator."""
        return backend.run_step(self, functools.partial(steps.train, self), *arguments)

    def test_step(self, *arguments):
        """The losses of a batch, in inference mode."""
        return backend.run_step(self, functools.partial(steps.evaluate, self), *arguments)

    def predict_step(self, *arguments):
        """Paints a batch."""
        return backend.run_predict_step(super().predict_step, *arguments)

    def make_train_function(self, force=False):
        """Makes the function that Keras' loop calls for a training step."""
        check_trained_weights(self)
        if self.train_function is None or force:
            with backend.checking_first(self):
                super().make_train_function(force=True)
            counters = self.skipped_steps.counters
            self.train_function = steps.guarded(self, self.train_function, "train", counters)

    def make_test_function(self, force=False):
        """Makes the function that Keras' loop calls for an evaluation step."""
        if self.test_function is None or force:
            with backend.checking_first(self):
                super().make_test_function(force=True)
            self.test_function = steps.guarded(self, self.test_function, "test")

    def make_predict_function(self, force=False):
        """Makes the function that Keras' loop calls for a prediction step."""
        if self.predict_function is None or force:
            with backend.checking_first(self):
                super().make_predict_function(force=True)
            self.predict_function = steps.guarded(self, self.predict_function, "predict")

    def prepare_batch(self, data: Any) -> dict:
        """A batch as a step reads it: `"conditioning"`, a dict, and `"image"` in [-1, 1]."""
        batch = read_batch(data, self.generator, part=None)
        return {"conditioning": batch.conditioning, "image": batch.image}

    def _symbolic_build(self, *args, **kwargs):
        """Does nothing: everything is built; Keras would read a batch and average label ids."""

    _maybe_symbolic_build = _symbolic_build
