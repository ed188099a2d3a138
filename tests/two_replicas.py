"""Runs layers on two logical devices and writes what they answer; a test reads it.

Logical devices exist only if they are asked for before TensorFlow starts, hence a script.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from keras_spade.layers import FeatureNorm, SpectralNorm
from keras_spade.replicas import sum_over_replicas

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2

rng = np.random.default_rng(7)
answers = {
    "x": (rng.normal(size=(4, 3, 5, 2)) * [2.0, 0.01] + [1.0, 3.0]).astype("float32"),
    "seed": rng.normal(size=(4, 3, 5, 2)).astype("float32"),
    "dense_x": rng.normal(size=(4, 6)).astype("float32"),
}


def split(array, first):
    """The first rows for one replica, the others for the second."""
    shares = tf.constant(array[:first]), tf.constant(array[first:])
    return strategy.experimental_distribute_values_from_function(
        lambda context: shares[context.replica_id_in_sync_group]
    )


def gather(name, per_replica):
    for i, value in enumerate(strategy.experimental_local_results(per_replica)):
        answers[f"{name}/{i}"] = value.numpy()


def differentiate(run, x, seed):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = run(x)
        loss = tf.reduce_sum(y * seed)
    return y, tape.gradient(loss, x)


def spread(run, x, seed, first, name):
    @tf.function
    def step(x, seed):
        return strategy.run(lambda x, seed: differentiate(run, x, seed), args=(x, seed))

    y, grad = step(split(x, first), split(seed, first))
    gather(f"{name}/y", y)
    gather(f"{name}/grad", grad)


for first in (2, 3):
    for norm in ("sync_batch", "batch", "instance"):
        with strategy.scope():
            layer = FeatureNorm(norm)
            layer.build(answers["x"].shape)
        name = f"{norm}/{first}"

        def run(x, layer=layer):
            return layer(x, training=True)

        spread(run, answers["x"], answers["seed"], first, name)
        for weight in layer.weights:
            answers[f"{name}/{weight.name}"] = tf.convert_to_tensor(weight.value).numpy()


def squared_sum(x):
    return sum_over_replicas(tf.reduce_sum(x, 0)) ** 2.0


@tf.function
def sums(x, seed):
    return strategy.run(lambda x, seed: differentiate(squared_sum, x, seed), args=(x, seed))


y, grad = sums(split(answers["x"], 2), split(answers["seed"][:2], 1))
gather("sum/y", y)
gather("sum/grad", grad)
with strategy.scope():
    answers["sum/outside"] = sum_over_replicas(tf.constant(3.0)).numpy()

with strategy.scope():
    wrapper = SpectralNorm(keras.layers.Dense(3))
    wrapper.build((None, 6))
for weight in wrapper.weights:
    answers[f"spectral/before/{weight.name}"] = tf.convert_to_tensor(weight.value).numpy()


@tf.function
def dense(x):
    return strategy.run(lambda x: wrapper(x, training=True), args=(x,))


gather("spectral/y", dense(split(answers["dense_x"], 2)))
for weight in wrapper.weights:
    answers[f"spectral/after/{weight.name}"] = tf.convert_to_tensor(weight.value).numpy()

np.savez(sys.argv[1], **answers)
