"""Saving, loading and exporting a `GauGAN`."""

import dataclasses
import os

import keras
import numpy as np

from keras_spade.backends import backend
from keras_spade.exporting import Export
from keras_spade.files import WholeFiles
from keras_spade.models import compiling
from keras_spade.models.gan_networks import GanNetworks
from keras_spade.models.objective import Objective
from keras_spade.models.painting_averages import (
    assign_by_place,
    averages_by_place,
    painting_averages,
    writes_averages,
)
from keras_spade.models.presets import from_preset, save_to_preset
from keras_spade.presets import PRESETS
from keras_spade.runs import SkippedSteps

OF_AVERAGES = "statistic_of_averages_"


@dataclasses.dataclass(frozen=True)
class StatisticsOfAverages:
    """Moving statistics for the averages of the weights, computed by `calibrate`.

    Args:
        step: the number of training steps made until then.
        values: arrays by their position in the GAN's weights.
    """

    step: int
    values: dict[int, np.ndarray]


class Saving(WholeFiles, keras.Model):
    """Config, files and state of `GauGAN`, which defines the attributes below."""

    generator: keras.Model
    discriminator: keras.Model
    encoder: keras.Model | None
    networks: GanNetworks
    seed: int | None
    seed_generator: keras.random.SeedGenerator
    skipped_steps: SkippedSteps
    # Set by `compile`:
    objective: Objective
    generator_optimizer: keras.optimizers.Optimizer
    discriminator_optimizer: keras.optimizers.Optimizer
    initial_learning_rates: tuple[float, float]
    loss_trackers: list[keras.metrics.Metric]
    max_skipped_steps: int | None
    auto_scale_loss: bool
    given_jit_compile: bool | str
    loaded_averages = False  # Whether a file was loaded that holds averages too.
    # The `SwapEMAWeights` of the running `fit`, and whether a file was saved after one.
    swaps: tuple
    loaded_swapped: bool
    statistics_of_averages: StatisticsOfAverages | None

    @property
    def generator_variables(self) -> list[keras.Variable]:
        """The weights of generator and encoder that are not frozen."""
        return self.networks.generator_variables if self.trainable else []

    @property
    def discriminator_variables(self) -> list[keras.Variable]:
        """The weights of the discriminator that are not frozen."""
        return self.networks.discriminator_variables if self.trainable else []

    @property
    def statistics(self) -> list[keras.Variable]:
        """The variables that forward passes change: moving statistics and spectral norm vectors."""
        return self.networks.statistics

    def get_config(self):
        """The constructor's arguments."""
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "seed": self.seed,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Builds the model from `get_config()`."""
        networks = {
            k: keras.saving.deserialize_keras_object(config[k], custom_objects=custom_objects)
            for k in ("generator", "discriminator", "encoder")
        }
        return cls(**{**config, **networks})

    def get_compile_config(self):
        """The arguments of `compile`, and the initial learning rates of training."""
        if not self.compiled:
            return None
        arguments = {
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            "max_skipped_steps": self.max_skipped_steps,
            "auto_scale_loss": self.auto_scale_loss,
            "run_eagerly": self.run_eagerly,
            "jit_compile": self.given_jit_compile,  # Backends treat "auto" differently.
            "steps_per_execution": self.steps_per_execution,
        }
        losses = {f.name: getattr(self.objective, f.name) for f in dataclasses.fields(Objective)}
        del losses["networks"]
        losses["perceptual_loss"] = compiling.savable(losses["perceptual_loss"])
        arguments |= losses
        config = {k: keras.saving.serialize_keras_object(v) for k, v in arguments.items()}
        if not self.optimizers_fit:  # Their state belongs to the weights trainable at that time.
            places = {id(weight): place for place, weight in enumerate(self.weights)}
            config["optimized_weights"] = {
                f"{side}_optimizer": [places[id(v)] for v in optimizer._trainable_variables]
                for side, optimizer, _ in self._sides()
            }
        return config | {"initial_learning_rates": list(self.initial_learning_rates)}

    def compile_from_config(self, config):
        """Compiles from `get_compile_config()` with built optimizers, so that their state loads."""
        config = dict(config)
        rates = config.pop("initial_learning_rates")
        optimized_weights = config.pop("optimized_weights", {})
        if not backend.RUNS_MANY_STEPS:
            config["steps_per_execution"] = 1
        arguments = keras.saving.deserialize_keras_object(config)
        weights = self.weights
        for argument, places in optimized_weights.items():
            with backend.scope(self):
                arguments[argument].build([weights[place] for place in places])
        self.compile(**arguments)
        self.initial_learning_rates = tuple(rates)
        self.optimizer.keep_ratio(*rates)

    @property
    def optimizers_fit(self) -> bool:
        """Whether the optimizers were built for the currently trainable weights."""
        return all(
            list(map(id, optimizer._trainable_variables)) == list(map(id, variables))
            for _, optimizer, variables in self._sides()
        )

    def _sides(self):
        return (
            ("generator", self.generator_optimizer, self.generator_variables),
            ("discriminator", self.discriminator_optimizer, self.discriminator_variables),
        )

    def save_own_variables(self, store):
        """Saves the state of the noise, which Keras omits, and the state of averages."""
        super().save_own_variables(store)
        store["seed_generator_state"] = keras.ops.convert_to_numpy(self.seed_generator.state)
        if self.is_swapped:
            store["is_swapped"] = np.array(True)
        elif self._averaging_optimizer() is not None:
            store["has_averages"] = np.array(True)
        if self.statistics_of_averages is not None:
            store["step_of_averages"] = np.array(self.statistics_of_averages.step)
            for place, value in self.statistics_of_averages.values.items():
                store[f"{OF_AVERAGES}{place}"] = value

    def load_own_variables(self, store):
        """Loads the state of the noise and of averages."""
        self.seed_generator.state.assign(store["seed_generator_state"])
        self.loaded_swapped, self.statistics_of_averages = "is_swapped" in store.keys(), None
        self.loaded_averages = "has_averages" in store.keys()
        if "step_of_averages" in store.keys():
            keys = [key for key in store.keys() if key.startswith(OF_AVERAGES)]
            values = {int(key.removeprefix(OF_AVERAGES)): np.array(store[key]) for key in keys}
            step = int(np.array(store["step_of_averages"]))
            self.statistics_of_averages = StatisticsOfAverages(step, values)

    def state_variables(self) -> dict[str, list[keras.Variable]]:
        """All variables needed to resume training, in groups, by name."""
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        if self.encoder is not None:
            networks["encoder"] = self.encoder
        groups = {name: network.weights for name, network in networks.items()}
        if self.compiled:
            groups["generator_optimizer"] = self.generator_optimizer.variables
            groups["discriminator_optimizer"] = self.discriminator_optimizer.variables
            groups["metrics"] = [v for tracker in self.loss_trackers for v in tracker.variables]
        groups["seed"] = [self.seed_generator.state]
        groups["skipped_steps"] = self.skipped_steps.variables
        return groups

    def saved_variables(self):
        """The variables stored in a file of the model."""
        return [variable for group in self.state_variables().values() for variable in group]

    def export(
        self,
        path: str | os.PathLike,
        format: str = "tf_saved_model",
        image_size: tuple[int, int] | None = None,
        averaged: bool | str = "auto",
        verbose: bool | None = None,
        **options,
    ) -> None:
        """Writes the generator as a file that runs without this package.

        Spectral norm is folded into the kernels. Existing content is replaced only after a complete
        write. The file takes the generator's inputs by name: `labels` int32 `(batch, H, W)`, or
        `segmap` float32 `(batch, H, W, k)`, `edges` float32 `(batch, H, W)` and `latent` float32
        `(batch, latent_dim)`. It returns `image`, uint8 `(batch, height, width, channels)`. Batches
        may have any size; label maps too, unless `image_size` is given or the format is LiteRT.
        An id that is not a class sets no label channel and raises no error. `docs/export.md` shows
        how to run each file.

        Args:
            path: of the folder (SavedModel) or file.
            format: `"tf_saved_model"`, for TensorFlow, TensorFlow Serving and Keras' `TFSMLayer`,
                with the endpoint `serve`; `"onnx"`, for onnxruntime, `pip install tf2onnx onnx`; or
                `"litert"`, for phones, with built-in operations only. The last two compute in
                float32 and convolve one-hot maps, whatever the generator does.
            image_size: `(height, width)` of the label maps; `None`: any, or in LiteRT the
                generator's size. (The image has the generator's size.)
            averaged: whether to write the averages of the weights, as in `averaged()`;
                `"auto"`: if the generator's optimizer keeps any.
            verbose: whether to print where the file is; `None`: yes.
            **options: of the format: `modulation`, as in `SPADE` (SavedModel), `opset_version`
                (ONNX), or attributes of `tf.lite.TFLiteConverter`, `optimizations` (LiteRT).

        Raises:
            ValueError: naming the invalid argument.
            ImportError: naming the packages to install.
            OSError: if the file cannot be written.
            RuntimeError: if the generator cannot be converted. Existing content is unchanged then.
        """
        export = Export(path, format, image_size, verbose, options)
        export.write((self.averaged() if writes_averages(self, averaged) else self).generator)

    painting_averages = painting_averages
    from_preset = classmethod(from_preset)
    save_to_preset = save_to_preset
    presets = PRESETS
    classes = property(
        lambda self: self.generator.classes,
        lambda self, classes: setattr(self.generator, "classes", classes),
        doc="The generator's names, colours and label mapping of the classes, or `None`.",
    )

    def _averaging_optimizer(self):
        """The generator's optimizer, if it keeps averages of the weights, else `None`."""
        optimizer = self.optimizer.optimizers[0] if self.compiled else None
        return optimizer if getattr(optimizer, "use_ema", False) else None

    @property
    def is_swapped(self) -> bool:
        """Whether weights and averages are currently swapped."""
        return self.loaded_swapped or any(swap._ema_weights_in_model for swap in self.swaps)

    def averaged(self) -> "Saving":
        """Returns a copy with the moving averages of the weights of generator and encoder.

        For painting, saving and export, if the generator's optimizer keeps averages:
        `compile(generator_optimizer=BiasCorrectedAdam(1e-4, use_ema=True, ema_momentum=0.999))`.
        Everything else, including frozen weights, is unchanged. So are moving statistics, although
        they belong to other weights; call `calibrate` before, or on the copy, to compute its own.
        (To evaluate with the averages, pass `keras.callbacks.SwapEMAWeights()` to `fit` or
        `evaluate`.) With several workers, all must call it.

        Returns:
            A `GauGAN`, not compiled.

        Raises:
            ValueError: if the generator's optimizer keeps no averages.
        """
        if self._averaging_optimizer() is None:
            raise ValueError(
                "`averaged`: the generator's optimizer keeps no averages; compile with an "
                "optimizer made with `use_ema=True`."
            )
        with backend.scope(self):
            copy = self.from_config(self.get_config())
        copy.set_weights(self.get_weights())
        assign_by_place(copy.weights, averages_by_place(self))
        return copy

    def keep_statistics_of_averages(self, averages: "Saving", statistics: list):
        """Stores the statistics of the result of `averaged` until the next step.

        Args:
            averages: the result of `averaged`.
            statistics: pairs of the copy's variables and their values.
        """
        places = {id(weight): place for place, weight in enumerate(averages.weights)}
        values = {places[id(variable)]: value for variable, value in statistics}
        self.statistics_of_averages = StatisticsOfAverages(self._steps_made(), values)

    def _steps_made(self):
        return int(keras.ops.convert_to_numpy(self.optimizer.optimizers[0].iterations))
