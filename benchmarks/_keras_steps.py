"""The steps of our variants. Imported by workers only: TensorFlow and PyTorch do not meet."""

import keras
import numpy as np
import tensorflow as tf
from _our_networks import make_gan, make_generator
from _variants import Step


def make(settings, batches, modulation, folded=False):
    """A step of ours.

    Inference: `generator(inputs, training=False)` compiled by `tf.function`, with `folded` after
    `generator.fold_spectral_norm()`. Forward and backward: the gradients, of all weights, of the
    mean square of the image in training mode, compiled too. Training step: `train_on_batch`.
    """
    if settings.threads:
        tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
        tf.config.threading.set_inter_op_parallelism_threads(settings.threads)
    keras.utils.set_random_seed(0)
    generator = make_generator(settings, modulation)
    if settings.task == "training_step":
        run = _training_step(make_gan(generator, settings, modulation), batches)
    else:
        inputs = _generator_inputs(settings, batches)
        if settings.task == "inference":
            run = _inference(generator.fold_spectral_norm() if folded else generator, inputs)
        else:
            run = _forward_backward(generator, inputs)
    return Step(run, {"keras": keras.__version__, "tensorflow": tf.__version__})


def _generator_inputs(settings, batches):
    inputs = [{k: v for k, v in batch.items() if k != "image"} for batch in batches]
    if settings.latent_dim is not None:
        rng = np.random.default_rng(0)
        latent = rng.normal(size=(settings.batch_size, settings.latent_dim)).astype("float32")
        inputs = [batch | {"latent": latent} for batch in inputs]
    return inputs


def _inference(generator, inputs):
    @tf.function
    def paint(inputs):
        return generator(inputs, training=False)

    return lambda index: paint(inputs[index]).numpy()


def _forward_backward(generator, inputs):
    @tf.function
    def gradients(inputs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(generator(inputs, training=True)))
        return tape.gradient(loss, generator.trainable_variables)

    return lambda index: gradients(inputs[index])


def _training_step(gan, batches):
    return lambda index: gan.train_on_batch(batches[index], return_dict=True)
