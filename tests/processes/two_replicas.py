"""Runs layers on two logical devices and writes their results, which a test reads.

Logical devices must be configured before TensorFlow starts, so this is a separate script.
"""

import sys
import warnings
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_spade.backends.replicas import (
    normal_over_replicas,
    place_in_batch,
    samples_present,
    sum_over_replicas,
)
from keras_spade.backends.tensorflow import minimize
from keras_spade.layers import FeatureNorm, SpectralNorm
from keras_spade.metrics import (
    Diversity,
    FrechetDistance,
    KernelDistance,
    SegmentationConsistency,
)
from keras_spade.optimizers import BiasCorrectedAdam

sys.path.append(str(Path(__file__).parents[1]))
from support.tiny_gan import tiny_batch, tiny_gan
from support.tiny_generator import TinyGenerator

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

# A batch of three: two samples on the first replica, one on the second.
seeds = {"single": keras.random.SeedGenerator(11)}
with strategy.scope():
    seeds["spread"] = keras.random.SeedGenerator(11)
answers["noise/whole"] = normal_over_replicas((3, 4), seed=seeds["single"]).numpy()
answers["noise/whole again"] = normal_over_replicas((3, 4), seed=seeds["single"]).numpy()


@tf.function
def draw(x):
    def on_replica(x):
        noise = normal_over_replicas((tf.shape(x)[0], 4), seed=seeds["spread"])
        return noise, tf.stack(place_in_batch(tf.shape(x)[0]))

    return strategy.run(on_replica, args=(x,))


for time in ("", " again"):
    noise, place = draw(split(answers["x"][:3], 2))
    gather(f"noise{time}", noise)
    gather(f"place{time}", place)


# The second replica has no real sample, only one with weight zero.
@tf.function
def absent(x):
    def on_replica(x):
        here = tf.distribute.get_replica_context().replica_id_in_sync_group
        with samples_present(tf.equal(here, 0)):
            y = norm(x, training=True)
            noise = normal_over_replicas((tf.shape(x)[0], 4), seed=7)
            return y, noise, tf.stack(place_in_batch(tf.shape(x)[0]))

    return strategy.run(on_replica, args=(x,))


with strategy.scope():
    norm = FeatureNorm("sync_batch")
    norm.build(answers["x"].shape)
y, noise, place = absent(split(answers["x"][:4], 3))
gather("absent/y", y)
gather("absent/noise", noise)
gather("absent/place", place)
answers["absent/whole noise"] = normal_over_replicas((3, 4), seed=7).numpy()
for weight in norm.weights:
    answers[f"absent/{weight.name}"] = tf.convert_to_tensor(weight.value).numpy()


# Values that are not finite on the second replica only.
def guarded(name, optimizer, factors):
    with strategy.scope():
        w, statistic = keras.Variable(2.0), keras.Variable(5.0, aggregation="mean")
        optimizer = optimizer()
        optimizer.build([w])

    def on_replica(factor):
        def loss():
            statistic.assign(statistic + factor)
            return {"a": w * factor}

        return minimize(loss, [w], optimizer, [statistic], share=0.5)[1]

    factor = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(factors[context.replica_id_in_sync_group])
    )
    skipped = tf.function(lambda factor: strategy.run(on_replica, args=(factor,)))(factor)
    gather(f"{name}/skipped", skipped)
    answers[f"{name}/w"] = tf.convert_to_tensor(w.value).numpy()
    answers[f"{name}/statistic"] = tf.convert_to_tensor(statistic.value).numpy()
    if hasattr(optimizer, "dynamic_scale"):
        answers[f"{name}/scale"] = tf.convert_to_tensor(optimizer.dynamic_scale.value).numpy()


def sgd():
    return keras.optimizers.SGD(0.5)


def scaled():
    return keras.optimizers.LossScaleOptimizer(sgd(), initial_scale=8.0)


nan = float("nan")
guarded("fine", sgd, [1.0, 3.0])
guarded("bad", sgd, [1.0, nan])
guarded("fine scaled", scaled, [1.0, 3.0])
guarded("bad scaled", scaled, [1.0, nan])

# Metrics on two unevenly split batches; of the second, the second replica gets nothing.
images = rng.integers(0, 256, (2, 3, 4, 6, 3)).astype("uint8")
labels = rng.integers(0, 4, (3, 4, 6)).astype("int32")


def colours(images):
    """Colours without rounding."""
    return keras.ops.sum(keras.ops.cast(images, "float32"), axis=(1, 2)) / 64


def red_is_the_class(images):
    return keras.ops.one_hot(keras.ops.cast(images[..., 0], "int32") // 100, 3)


def distance(first, second):
    return keras.ops.mean(keras.ops.abs(colours(first) - colours(second)), axis=1)


def metrics():
    return {
        "frechet": (FrechetDistance(colours), images),
        "kernel": (KernelDistance(lambda images: colours(images) / 64), images),
        "segmentation": (SegmentationConsistency(red_is_the_class, 3, True), (labels, images[1])),
        "diversity": (Diversity(distance), (np.moveaxis(images, 0, 1),)),
    }


with strategy.scope():
    spread_out = metrics()
for name, (metric, whole) in metrics().items():
    metric.update_state(*whole)
    metric.update_state(*(array[:1] for array in whole))
    answers[f"metric/one/{name}"] = np.stack(keras.tree.flatten(metric.result()))
for name, (metric, whole) in spread_out.items():
    update = tf.function(lambda *parts, of=metric: strategy.run(of.update_state, args=parts))
    update(*(split(array, 2) for array in whole))
    update(*(split(array[:1], 1) for array in whole))
    answers[f"metric/two/{name}"] = np.stack(keras.tree.flatten(metric.result()))

warnings.filterwarnings("ignore", "__array__ implementation")  # Keras, of variables.
# Batches of three, and one of a single sample, of which the second replica gets none. The averages
# are as after a step, but far from the weights.
for name, norm, where in (
    ("one", "sync_batch", tf.distribute.get_strategy()),
    ("two", "sync_batch", strategy),
    ("two unlike", "batch", strategy),
):
    with where.scope():
        optimizer = BiasCorrectedAdam(use_ema=True)
        gan = tiny_gan(
            generator=partial(TinyGenerator, norm=norm),
            generator_optimizer=optimizer,
            run_eagerly=False,
        )
        optimizer.iterations.assign(1)
        noise = np.random.default_rng(0)
        for weight, average in zip(
            gan.generator_variables, optimizer._model_variables_moving_average, strict=True
        ):
            average.assign(weight + noise.normal(scale=0.1, size=weight.shape))
    gan.calibrate(tiny_batch(7), batch_size=3, verbose=0)
    for kind, of in (("", gan), (" averages", gan.averaged())):
        for weight in of.generator.statistics:
            value = tf.convert_to_tensor(weight.value).numpy()
            answers[f"calibrated{kind}/{name}/{weight.path}"] = value

np.savez(sys.argv[1], **answers)
