"""Computing moving statistics from many batches."""

import functools
import itertools
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from keras_spade.arguments import positive_integer
from keras_spade.backends import backend
from keras_spade.layers import FeatureNorm
from keras_spade.layers.feature_norm import collecting_moments
from keras_spade.models.averages import statistics_of_averages
from keras_spade.models.batch import prepare_batch, read_batch
from keras_spade.models.gan_networks import GanNetworks
from keras_spade.models.keras_arguments import maps_and_images, refuse_batch_size, refuse_weights_of
from keras_spade.models.pooled_moments import PooledMoments
from keras_spade.runs import evaluation_data
from keras_spade.runs.streams import is_tf_dataset

if TYPE_CHECKING:
    from keras_spade.models.gaugan import GauGAN


ENDLESS = -1  # `tf.data`'s value for an infinite dataset.


def calibrate(
    gan: "GauGAN",
    dataset: Any,
    batches: int | None,
    batch_size: int | None,
    seed: int | None,
    verbose: str | int,
) -> None:
    """Does what `GauGAN.calibrate` describes."""
    if batches is not None:
        batches = positive_integer("`batches`", batches, "None or a positive integer")
    refuse_weights_of("dataset", dataset)
    refuse_batch_size("batch_size", batch_size, dataset)
    x, y = maps_and_images(dataset, None)
    if batches is None and is_tf_dataset(x) and x.cardinality() == ENDLESS:
        raise ValueError("`dataset` is infinite: pass the number of `batches`.")
    averages = gan.averaged() if gan.keeps_averages and not gan.is_swapped else None
    with backend.scope(gan):
        calibration = Calibration([one for one in (gan, averages) if one is not None], seed)
    if not calibration.pooled:
        warnings.warn(
            "`calibrate` has nothing to do: the networks have no batch norms, or these are frozen.",
            stacklevel=4,
        )
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Your input ran out of data")
        data = evaluation_data(gan, x)
        if verbose and keras.config.is_interactive_logging_enabled():
            also = "" if averages is None else ", also for the averages of the weights"
            print(f"Computing the statistics of the batch norms{also}:", flush=True)
        calibration.evaluate(
            data,
            y,
            batch_size=batch_size,
            steps=batches,
            verbose=verbose,
            callbacks=[_Progress()] if verbose else None,
        )
    found = [calibration.statistics(one) for one in calibration.gans]
    for variable, value in itertools.chain(*found):
        if not np.isfinite(value).all():
            raise ValueError(
                f"`calibrate`: {variable.path} would not be finite; nothing was changed. Some "
                "images or weights are not finite."
            )
    if not found[0]:
        raise ValueError("`dataset` is empty.")
    for variable, value in found[0]:
        variable.assign(value)
    if averages is not None:
        gan.statistics_of_averages = statistics_of_averages(gan, averages, found[1])


class _Progress(keras.callbacks.ProgbarLogger):
    """Keras' progress bar, without logs."""

    async_safe = True  # As Keras' own: on JAX and PyTorch, it does not wait for each batch.

    def on_test_batch_end(self, batch, logs=None):
        super().on_test_batch_end(batch)

    def on_test_end(self, logs=None):
        super().on_test_end()


class Calibration(keras.Model):
    """A model for Keras' evaluation loop that pools the moments of all batch norms for painting.

    The networks run as in painting except for their norms, which normalise by the batch, as in
    training. One pass per batch is enough: the input of a later norm does not depend on the moving
    statistics of earlier ones. With a single batch, painting it then reproduces the pass; with
    more, the variances of all layers include the differences between batches, and painting
    approximates training to the extent that batches are alike.

    Args:
        gans: GANs of the same kind; the batches pass through each.
        seed: as in `calibrate`.

    Reference: Ioffe and Szegedy 2015 (arXiv 1502.03167), algorithm 2, with statistics of many
    batches after training; Park et al. 2019 (arXiv 1903.07291), section 3, equations 2 and 3.
    """

    def __init__(self, gans: Sequence["GauGAN"], seed: int | None):
        super().__init__()
        self.gans = gans
        self.noises = [keras.random.SeedGenerator(seed or 0) for _ in gans]
        if seed is None:
            for noise in self.noises:
                noise.state.assign(ops.convert_to_numpy(gans[0].seed_generator.state))
        self.pooled = [PooledMoments(norm) for gan in gans for norm in batch_norms(gan.networks)]
        self.supports_jit = backend.COMPILES_STEPS
        self.built = True
        self.compile(run_eagerly=gans[0].run_eagerly, jit_compile=gans[0].jit_compile)

    def statistics(self, gan: "GauGAN") -> list:
        """Pairs of moving statistics of a GAN and their new values."""
        norms = batch_norms(gan.networks)
        return [pair for one in self.pooled if one.norm in norms for pair in one.statistics()]

    def test_step(self, *arguments):
        """Adds the moments of a batch."""

        def step(data, part):
            batch = read_batch(data, self.gans[0].generator, part)
            return backend.compiled(self, lambda: self._add(batch), batch.tensors)

        return backend.run_step(self, step, *arguments)

    def _add(self, batch):
        for gan, noise in zip(self.gans, self.noises, strict=True):
            with collecting_moments() as collected:
                latent, _ = gan.networks.encode(batch.image, noise, training=False)
                gan.networks.paint(batch.conditioning, latent, training=False)
            for one in self.pooled:
                for moments in collected.get(one.norm, ()):
                    one.add(moments)
        return {"batch_size": ops.cast(batch.part.total, "float32")}  # TensorFlow needs an output.

    def make_test_function(self, force=False):
        """Makes the function that Keras' loop calls for a batch."""
        with backend.checking_first(self):
            super().make_test_function(force=True)
        networks = [self.gans[0].generator]
        prepare = functools.partial(prepare_batch, networks=networks, images="image")
        self.test_function = backend.guarded(self, self.test_function, prepare)

    @property
    def metrics(self) -> list[keras.Metric]:
        """None."""
        return []

    @property
    def metrics_variables(self) -> list[keras.Variable]:
        """The moments, which Keras' loop carries on JAX."""
        return [variable for one in self.pooled for variable in one.variables]

    def _symbolic_build(self, *args, **kwargs):
        """Does nothing: everything is built."""

    def _maybe_symbolic_build(self, *args, **kwargs):
        """Does nothing, likewise."""


def batch_norms(networks: GanNetworks) -> list[FeatureNorm]:
    """The norms of generator and encoder whose moving statistics training updates.

    Raises:
        ValueError: for Keras' batch norms, which `calibrate` does not support.
    """
    networks = (networks.generator, networks.encoder)
    layers = [layer for n in networks if n is not None for layer in n._flatten_layers()]
    for layer in layers:
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
            raise ValueError(
                f"`calibrate`: the layer {layer.path!r} is a BatchNormalization, which is not "
                'supported. Build the network with `keras_spade.layers.FeatureNorm("batch", '
                "affine=True)`."
            )
    norms = [layer for layer in layers if isinstance(layer, FeatureNorm) and layer.trainable]
    return [norm for norm in norms if norm.norm != "instance"]
