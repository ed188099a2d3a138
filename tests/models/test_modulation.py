"""A training step with label patterns against dense convolutions, the reference."""

from collections import Counter

import keras
import numpy as np
import pytest
from support.backends import EAGERLY, float64_throughout, only_on
from support.harness import to_numpy

from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder

SHAPE = (64, 64, 3)


def make_gan(modulation, encoder=True, dtype=None):
    """A small model with void class and edges, trained by SGD: Adam makes rounding large."""
    options = {
        "num_classes": 5,
        "image_shape": SHAPE,
        "void_class": True,
        "instance_edges": True,
        "modulation": modulation,
        "dtype": dtype,
    }
    latent_dim = 4 if encoder else None
    networks = [
        SPADEGenerator(**options, latent_dim=latent_dim, base_filters=2, hidden_filters=4),
        MultiScaleDiscriminator(**options, base_filters=2),
    ]
    if encoder:
        networks.append(
            StyleEncoder(SHAPE, latent_dim, base_filters=2, resize_to=(128, 128), dtype=dtype)
        )
    gan = GauGAN(*networks, seed=3)
    gan.compile(
        generator_optimizer=keras.optimizers.SGD(0.01),
        discriminator_optimizer=keras.optimizers.SGD(0.01),
        perceptual_loss=None,
        run_eagerly=EAGERLY,
    )
    return gan


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    labels = np.zeros((2, 64, 64), "int32")
    labels[:, 10:40, 20:] = 2
    labels[1, 30:, :25] = 5
    labels[:, 50:] = rng.integers(0, 6, (2, 14, 64))
    instances = labels.copy()
    instances[:, 15:20, 30:50] = 9
    return {
        "labels": labels,
        "instances": instances,
        "image": rng.uniform(-1, 1, (2, *SHAPE)).astype("float32"),
    }


def steps(gan, batch, count):
    """The losses of each step."""
    losses = []
    for _ in range(count):
        gan.reset_metrics()
        losses.append({k: float(v) for k, v in gan.train_on_batch(batch, return_dict=True).items()})
    return losses


def compare(gans, batch, limit, count=1):
    """Losses and all weights after some steps, relative to the largest value of each."""
    gans[1].set_weights(gans[0].get_weights())
    before = gans[0].get_weights()
    wanted, found = (steps(gan, batch, count) for gan in gans)
    assert len(wanted[0]) == 4 + (gans[0].encoder is not None)
    for want, got in zip(wanted, found, strict=True):
        for name in want:
            assert abs(got[name] - want[name]) < limit * max(abs(want[name]), 1e-2), name
    moved = 0
    for got, want, old in zip(gans[1].weights, gans[0].weights, before, strict=True):
        got, want = (to_numpy(x).astype("float64") for x in (got, want))
        # Biases start at zero, and some that are followed by a norm stay there.
        assert np.max(np.abs(got - want)) < limit * max(np.max(np.abs(want)), 1e-3)
        moved += np.any(want != old)
    assert moved > 0.8 * len(before)


@pytest.mark.slow
@float64_throughout()
def test_steps_in_float64_equal_dense(batch):
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    batch["image"] = batch["image"].astype("float64")
    compare([make_gan(choice) for choice in ("dense", "patterns")], batch, 1e-9, count=2)


@pytest.mark.slow_on("tensorflow")
@pytest.mark.slow_on("jax")
@pytest.mark.parametrize(
    ("modulation", "encoder"),
    [("patterns", True), ("auto", False)],
)
def test_a_step_in_float32_equals_dense(modulation, encoder, batch):
    compare([make_gan(choice, encoder) for choice in ("dense", modulation)], batch, 1e-4)


@pytest.mark.slow_on("tensorflow")
@pytest.mark.slow_on("jax")
@pytest.mark.parametrize(
    ("modulation", "policy"), [("patterns", "mixed_bfloat16"), ("dense", "mixed_float16")]
)
def test_a_step_in_half_precision_stays_near(modulation, policy, batch):
    whole, mixed = make_gan("dense"), make_gan(modulation, dtype=policy)
    mixed.set_weights(whole.get_weights())
    (want,), (got,) = (steps(gan, batch, 1) for gan in (whole, mixed))
    for name in want:
        assert abs(got[name] - want[name]) < 0.05 * max(abs(want[name]), 0.1), name


def searches(graph):
    """The number of TensorFlow's `Unique` operations in a graph."""
    return Counter(node.op for node in graph.node)["Unique"]


@only_on("tensorflow", "its graphs are counted")
@pytest.mark.slow
def test_both_passes_of_the_generator_share_one_search(batch):
    import tensorflow as tf
    from tensorflow.python.eager import context

    options = {"num_classes": 5, "image_shape": (32, 32, 3), "modulation": "patterns"}
    options |= {"base_filters": 1, "spectral_norm": False, "void_class": True}
    gan = GauGAN(
        SPADEGenerator(**options, latent_dim=None, hidden_filters=2),
        MultiScaleDiscriminator(**options, num_layers=1),
    )
    gan.compile(perceptual_loss=None, feature_matching_weight=0)
    batch = {key: tf.constant(batch[key][:, :32, :32]) for key in ("labels", "image")}
    step = tf.function(gan.train_step)
    context.enable_run_metadata()
    try:
        step(batch)
        graphs = context.export_run_metadata().function_graphs
    finally:
        context.disable_run_metadata()
    written = max(searches(graph.pre_optimization_graph) for graph in graphs)
    run = max(searches(graph.post_optimization_graph) for graph in graphs)
    # Two numberings per window: two windows at each of six resolutions, one and two in the
    # discriminator. The latent grid's window is the first one of the block there.
    once = 2 * (2 * 6 + 1 + 2)
    assert written == 2 * (once + 2)
    assert run == once
