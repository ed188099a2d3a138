"""Saving, loading and exporting a `GauGAN`."""

import os
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np

from keras_spade.backends import backend
from keras_spade.exporting import Export
from keras_spade.files import WholeFiles
from keras_spade.models import averages, compiling
from keras_spade.models.gan_networks import GanNetworks
from keras_spade.models.loss_average import LossAverage
from keras_spade.models.objective import Objective
from keras_spade.models.presets import gan_from_preset, save_gan_to_preset
from keras_spade.models.statistics_of_averages import StatisticsOfAverages
from keras_spade.presets import PRESETS
from keras_spade.runs import SkippedSteps


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
        return compiling.config(self) if self.compiled else None

    def compile_from_config(self, config):
        """Compiles from `get_compile_config()` with built optimizers, so that their state loads."""
        compiling.compile_from_config(self, config)

    def save_own_variables(self, store):
        """Saves the state of the noise, which Keras omits, and the state of averages."""
        super().save_own_variables(store)
        store["seed_generator_state"] = keras.ops.convert_to_numpy(self.seed_generator.state)
        if self.is_swapped:
            store["is_swapped"] = np.array(True)
        elif self.keeps_averages:
            store["has_averages"] = np.array(True)
        if self.statistics_of_averages is not None:
            self.statistics_of_averages.save(store)

    def load_own_variables(self, store):
        """Loads the state of the noise and of averages."""
        self.seed_generator.state.assign(store["seed_generator_state"])
        self.loaded_swapped = "is_swapped" in store.keys()
        self.statistics_of_averages = StatisticsOfAverages.load(store)
        self.loaded_averages = "has_averages" in store.keys()

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

    @property
    def metrics(self) -> list[LossAverage]:
        """The averages of the losses, one per loss."""
        return list(self.loss_trackers)

    @property
    def metrics_variables(self) -> list[keras.Variable]:
        """The averages of the losses, and the related counts of skipped steps."""
        return super().metrics_variables + self.skipped_steps.counters

    def saved_variables(self) -> list[keras.Variable]:
        """The variables stored in a file of the model."""
        return [variable for group in self.state_variables().values() for variable in group]

    def export(
        self,
        path: str | os.PathLike,
        format: str = "tf_saved_model",
        image_size: tuple[int, int] | None = None,
        averaged: bool | str = "auto",
        verbose: bool | None = None,
        **options: Any,
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
        export.write(averages.with_weights_for_files(self, averaged).generator)

    @classmethod
    def from_preset(
        cls, preset: str | os.PathLike, load_weights: bool = True, **kwargs: Any
    ) -> "Saving":
        """Builds a model from a preset: its generator, its encoder if it has one, a discriminator.

        If the preset lacks the weights of the discriminator, that starts untrained, with the
        preset's size, or with the generator's width if the preset contains only a generator. The
        model is not compiled.

        Args:
            preset: a name in `presets`; a folder written by `save_to_preset` or
                `save(folder, zipped=False)`; or `"hf://user/repository"` of such a folder, which
                needs the library `huggingface_hub`. (If a folder has the same name as a preset,
                pass `"./name"`.)
            load_weights: `False`: random weights. Architectures have no trained weights.
            **kwargs: arguments of the constructor; and the arguments that the networks share,
                `num_classes`, `image_shape`, `void_class`, `instance_edges`, `conditioning` and
                `dtype`, which override the preset's.

        Returns:
            A `GauGAN`.

        Raises:
            ValueError: if there is no such preset, it is of another kind, it cannot be read, or has
                no weights but `load_weights` is True.
            ImportError: for an `hf://` address, naming the library to install.

        Example:

        >>> from keras_spade import GauGAN
        >>> gan = GauGAN.from_preset("facades_128_tiny", load_weights=False, num_classes=5)
        >>> gan.generator.num_classes, gan.generator.image_shape
        (5, (128, 128, 3))
        """
        return gan_from_preset(cls, preset, load_weights, **kwargs)

    def save_to_preset(
        self,
        preset_dir: str | os.PathLike,
        dtype: str | None = None,
        discriminator: bool = False,
        averaged: bool | str = "auto",
    ) -> None:
        """Writes a folder from which `from_preset` rebuilds the model.

        It holds `config.json`, `model.weights.h5` of generator and encoder, `classes.json` if
        `classes` are known, and `metadata.json`. It does not contain optimizers: to resume
        training, use `save` or backups. With several workers, all must call it; the first one
        writes.

        Args:
            preset_dir: a new or empty folder, or a preset, which is replaced after a complete
                write.
            dtype: `None`: weights are stored unchanged. `"float16"`: kernels are stored in 16 bits,
                which halves the file, except those that would lose more than rounding; biases,
                moving statistics and vectors of spectral norms are stored unchanged. Loaded weights
                have the dtype of the model.
            discriminator: whether to store its weights, for further training; painting does not
                need them.
            averaged: whether to write the averages of the weights, as in `averaged()`;
                `"auto"`: if the generator's optimizer keeps any.

        Raises:
            ValueError: naming the invalid argument; if the folder holds other files.
            OSError: if it cannot be written; existing content is unchanged.
        """
        save_gan_to_preset(self, preset_dir, dtype, discriminator, averaged)

    presets = PRESETS
    classes = property(
        lambda self: self.generator.classes,
        lambda self, classes: setattr(self.generator, "classes", classes),
        doc="The generator's names, colours and label mapping of the classes, or `None`.",
    )

    @property
    def keeps_averages(self) -> bool:
        """Whether the generator's optimizer keeps averages of the weights."""
        return self.compiled and bool(getattr(self.optimizer.optimizers[0], "use_ema", False))

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
        if not self.keeps_averages:
            raise ValueError(
                "`averaged`: the generator's optimizer keeps no averages; compile with an "
                "optimizer made with `use_ema=True`."
            )
        with backend.scope(self):
            copy = self.from_config(self.get_config())
        copy.set_weights(self.get_weights())
        averages.assign_by_place(copy.weights, averages.averages_by_place(self))
        return copy

    def painting_averages(self) -> AbstractContextManager[None]:
        """A context in which the model uses the averages of its weights, if there are any.

        They include the moving statistics computed by `calibrate`, as in `averaged()`, if no
        step was made since. Use it to paint during training: unlike `averaged`, it builds no second
        model, so nothing is traced or compiled again. The weights are copied to the host until the
        context ends, and then restored bit for bit.
        """
        return averages.painting_averages(self)
