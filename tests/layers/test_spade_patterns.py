"""SPADE with label patterns against SPADE with dense convolutions, the reference."""

import itertools

import keras
import numpy as np
import pytest
from support.backends import BACKEND, differentiate, float64_throughout, only_on
from support.golden_files import relative_error
from support.harness import to_numpy
from support.pattern_cases import KINDS, assert_equal_layers, label_map, randomize_all

from keras_spade import SPADE
from keras_spade.layers import LabelPatterns

NORMS = ("sync_batch", "batch", "instance")
CLASSES = 5
# JAX compiles for each shape: there, only a batch of one without edges, and of three with edges.
BATCHES_AND_EDGES = list(itertools.product((1, 3), (False, True)))[:: 3 if BACKEND == "jax" else 1]
EDGES = (False, True)[BACKEND == "jax" :]


def make_both(modulation="patterns", **options):
    """The oracle, and the layer under test."""
    options = {"num_classes": CLASSES, "hidden_filters": 8, **options}
    return [SPADE(modulation=choice, **options) for choice in ("dense", modulation)]


def make_inputs(kind, shape, size, edges, rng, channels=4):
    """Activations of `shape`, labels of `size`, and edges or `None`."""
    x = rng.normal(1.0, 2.0, (*shape, channels)).astype("float32")
    labels = label_map(kind, (shape[0], *size), CLASSES, rng)
    return x, labels, rng.integers(0, 2, labels.shape).astype("float32") if edges else None


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("norm", NORMS)
def test_outputs_and_gradients_equal_dense(norm, kernel_size, training):
    rng = np.random.default_rng(kernel_size)
    for batch, edges in BATCHES_AND_EDGES:
        inputs = make_inputs("regions", (batch, 12, 9), (24, 27), edges, rng)
        layers = make_both(norm=norm, kernel_size=kernel_size)
        assert_equal_layers(layers, *inputs, training=training)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3), (13, 8)])
def test_any_map_of_any_size(size, kind):
    rng = np.random.default_rng(0)
    for edges in EDGES:
        inputs = make_inputs(kind, (3, *size), size, edges, rng)
        assert_equal_layers(make_both(), *inputs, training=size != (1, 1))


@pytest.mark.parametrize("seed", range(16))
def test_random_cases(seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), *(int(size) for size in rng.integers(2, 20, 2)))
    size, edges = rng.integers(1, 30, 2), bool(rng.integers(2))
    inputs = make_inputs(rng.choice(KINDS), shape, size, edges, rng)
    options = {"norm": rng.choice(NORMS), "kernel_size": int(rng.choice([1, 3, 5]))}
    assert_equal_layers(make_both(**options), *inputs, training=bool(rng.integers(2)))


@pytest.mark.parametrize("kind", KINDS)
def test_auto_equals_dense_on_large_maps(kind):
    rng = np.random.default_rng(2)
    for edges in EDGES:
        inputs = make_inputs(kind, (2, 40, 36), (40, 36), edges, rng)
        assert_equal_layers(make_both("auto"), *inputs, training=True)


@only_on("tensorflow", "compiled for sizes that are not known")
@pytest.mark.parametrize("modulation", ["auto", "patterns"])
def test_compiled_with_unknown_sizes(modulation):
    import tensorflow as tf

    dense, layer = make_both(modulation)
    rng = np.random.default_rng(3)
    cases = [
        make_inputs(kind, (batch, *size), size, True, rng)
        for kind, batch, size in [
            ("noise", 2, (40, 37)),
            ("regions", 1, (40, 37)),
            ("noise", 3, (3, 5)),
            ("flat", 1, (1, 1)),
        ]
    ]
    for spade in (dense, layer):
        spade(*cases[0])
    randomize_all(dense)
    layer.set_weights(dense.get_weights())
    call = tf.function(
        lambda *inputs: layer(*inputs),
        [
            tf.TensorSpec((None, None, None, 4)),
            tf.TensorSpec((None, None, None), tf.int32),
            tf.TensorSpec((None, None, None)),
        ],
    )
    for inputs in cases:
        assert relative_error(call(*inputs), to_numpy(dense(*inputs))) < 1e-5


@pytest.mark.parametrize("modulation", ["auto", "patterns"])
def test_patterns_found_before_give_the_same(modulation):
    rng = np.random.default_rng(4)
    for kind in ("regions", "noise"):
        x, labels, edges = make_inputs(kind, (2, 36, 40), (54, 60), True, rng)
        dense, layer = make_both(modulation, kernel_size=5)
        find = LabelPatterns(36, 40, CLASSES, ((5, 1), (5, 1)), modulation)
        patterns = find(labels, edges)
        y = layer(x, patterns)
        dense(x, labels, edges)
        dense.set_weights(layer.get_weights())
        assert relative_error(y, to_numpy(dense(x, labels, edges))) < 1e-5
        assert layer.shared.kernel.shape == (5, 5, CLASSES + 1, 8)
        np.testing.assert_array_equal(to_numpy(layer(x, labels, edges)), to_numpy(y))
        with pytest.raises(ValueError, match="`edges` go to LabelPatterns"):
            layer(x, patterns, edges)


@pytest.mark.parametrize(("policy", "limit"), [("mixed_bfloat16", 0.03), ("mixed_float16", 5e-3)])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("training", [False, True])
def test_half_precision_stays_near_dense(training, norm, policy, limit):
    rng = np.random.default_rng(5)
    x, labels, edges = make_inputs("regions", (2, 10, 12), (20, 24), True, rng)
    # Far from zero: normalisation in less than float32 loses digits.
    x = 50.0 + x
    mixed = SPADE(norm, num_classes=CLASSES, modulation="patterns", dtype=policy)
    same, whole = (
        SPADE(norm, num_classes=CLASSES, modulation="dense", dtype=dtype)
        for dtype in (policy, "float32")
    )
    for spade in (mixed, same, whole):
        spade(x, labels, edges)
    randomize_all(whole)
    for weight in whole.non_trainable_weights:
        if "moving_mean" in weight.path:
            weight.assign(np.full(weight.shape, 50.0))
    start = whole.get_weights()
    outputs = []
    for spade in (mixed, same, whole):
        spade.set_weights(start)
        outputs.append(to_numpy(spade(x, labels, edges, training=training)))
    assert relative_error(outputs[0], outputs[2]) < limit
    assert relative_error(outputs[0], outputs[1]) < limit


@float64_throughout()
def test_float64_agrees_to_its_own_rounding():
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(6)
    for kind in KINDS:
        x, labels, edges = make_inputs(kind, (2, 11, 7), (11, 7), True, rng)
        layers = make_both(dtype="float64")
        inputs = (x.astype("float64"), labels, edges)
        assert_equal_layers(layers, *inputs, limits=(1e-13, 1e-11), training=True)


def test_float_maps_are_convolved_whatever_the_choice():
    rng = np.random.default_rng(7)
    x, segmap = rng.normal(size=(2, 5, 6, 3)), rng.normal(size=(2, 10, 12, 4))
    inputs = [a.astype("float32") for a in (x, segmap)]
    assert_equal_layers(make_both(num_classes=None), *inputs, training=True)


def test_unknown_choices_are_refused():
    wanted = r"`modulation` must be one of \('auto', 'patterns', 'dense'\), got 'sparse'"
    with pytest.raises(ValueError, match=wanted):
        SPADE(modulation="sparse")


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_gradients_of_flat_maps_are_summed_in_float32(policy):
    layer = SPADE(num_classes=2, hidden_filters=2, modulation="patterns", dtype=policy)
    x = np.random.default_rng(0).normal(size=(1, 64, 64, 2)).astype("float32")
    labels = np.zeros((1, 64, 64), "int32")
    layer.build(x.shape, labels.shape)

    def total(x):
        y = layer(x, labels, training=True)
        return keras.ops.sum(keras.ops.cast(y, "float32")), y

    _, _, (gradient,) = differentiate(total, [x], [layer.beta.bias], layer.non_trainable_weights)
    np.testing.assert_allclose(to_numpy(gradient), 64 * 64, rtol=1e-2)


@pytest.mark.parametrize("policy", ["bfloat16", "float16"])
def test_weights_of_16_bits(policy):
    layer = SPADE(num_classes=2, modulation="patterns", dtype=policy)
    y = layer(np.random.rand(1, 8, 8, 2), np.zeros((1, 8, 8), "int32"), training=True)
    assert keras.backend.standardize_dtype(y.dtype) == policy


def test_layers_that_must_search_patterns_do_not_claim_to_compile():
    x, labels = keras.Input((8, 8, 2)), keras.Input((8, 8), dtype="int32")
    kinds = (("patterns", BACKEND == "jax"), ("auto", BACKEND != "torch"), ("dense", True))
    for modulation, expected in kinds:
        layer = SPADE(num_classes=2, modulation=modulation)
        layer(x, labels)
        assert layer.supports_jit == expected
