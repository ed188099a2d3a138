"""The steps of Keras' loops, on one replica."""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras

from keras_spade.backends import backend
from keras_spade.backends.part import Part
from keras_spade.models.batch import prepare_batch, read_batch
from keras_spade.models.compiling import check_trained_weights
from keras_spade.models.loss_average import track

if TYPE_CHECKING:
    from keras_spade.models.gaugan import GauGAN


def train(gan: "GauGAN", data: Any, part: Part) -> dict:
    """Updates generator and encoder, then the discriminator; returns the averages of the losses.

    Args:
        gan: a compiled `GauGAN`.
        data: a batch, as Keras' loop passes it to a step.
        part: of the global batch.
    """
    check_trained_weights(gan)
    batch = read_batch(data, gan.generator, part)

    def update():
        losses = gan.training_step(batch)
        return track(gan.loss_trackers, losses, part, gan.replicas, leave_out_bad=True)

    return backend.compiled(gan, update, batch.tensors)


def evaluate(gan: "GauGAN", data: Any, part: Part) -> dict:
    """Computes the losses in inference mode; returns their averages. Args: those of `train`."""
    batch = read_batch(data, gan.generator, part)

    def losses():
        losses = gan.objective.losses(batch, gan.seed_generator)
        return track(gan.loss_trackers, losses, part, gan.replicas)

    return backend.compiled(gan, losses, batch.tensors)


def guarded(
    gan: "GauGAN", function: Callable, loop: str, counters: Sequence[keras.Variable] = ()
) -> Callable:
    """Returns the function of a Keras loop with checked batches; see `backends`.

    Args:
        gan: a `GauGAN`.
        function: made by Keras.
        loop: `"train"`, `"test"` or `"predict"`.
        counters: variables to make visible outside of the loop.
    """
    judges = loop != "predict"
    networks = [gan.generator, *[gan.discriminator] * judges]
    images = "image" if judges else "style_image"
    prepare = functools.partial(prepare_batch, networks=networks, images=images)
    return backend.guarded(gan, function, prepare, counters, lambda: gan.loop_steps.get(loop))
