"""The residual block with label patterns against dense convolutions, the reference."""

import numpy as np
import pytest
from support.golden_files import relative_error
from support.harness import to_numpy
from support.pattern_cases import KINDS, assert_equal_layers, label_map, randomize_all

from keras_spade import SPADEResBlock
from keras_spade.layers import LabelPatterns

NORMS = ("sync_batch", "batch", "instance")
CLASSES = 4
# The following normalisation removes this bias.
IDLE = ("conv_0/conv/bias", "conv_0/bias")


def make_both(filters, modulation="patterns", **options):
    """The oracle, and the block under test."""
    options = {"num_classes": CLASSES, "hidden_filters": 6, **options}
    return [
        SPADEResBlock(filters, modulation=choice, **options) for choice in ("dense", modulation)
    ]


def make_inputs(kind, shape, size, edges, rng):
    """Activations of 4 channels, labels, and edges or `None`."""
    x = rng.normal(size=(*shape, 4)).astype("float32")
    labels = label_map(kind, (shape[0], *size), CLASSES, rng)
    return x, labels, rng.integers(0, 2, labels.shape).astype("float32") if edges else None


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "kernel_size", [1, 3, pytest.param(5, marks=pytest.mark.slow_on("tensorflow"))]
)
@pytest.mark.parametrize("norm", NORMS)
def test_outputs_and_gradients_equal_dense(norm, kernel_size, training):
    rng = np.random.default_rng(kernel_size)
    for batch, edges, filters in ((1, False, 4), (3, True, 6)):
        inputs = make_inputs("regions", (batch, 10, 7), (20, 21), edges, rng)
        blocks = make_both(filters, norm=norm, kernel_size=kernel_size, spectral_norm=edges)
        assert_equal_layers(blocks, *inputs, idle=IDLE, training=training)


@pytest.mark.parametrize("seed", range(8))
def test_random_cases(seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), *(int(size) for size in rng.integers(3, 16, 2)))
    size, edges = rng.integers(1, 24, 2), bool(rng.integers(2))
    inputs = make_inputs(rng.choice(KINDS), shape, size, edges, rng)
    options = {"norm": rng.choice(NORMS), "kernel_size": int(rng.choice([1, 3, 5]))}
    blocks = make_both(int(rng.integers(2, 7)), **options)
    assert_equal_layers(blocks, *inputs, idle=IDLE, training=bool(rng.integers(2)))


@pytest.mark.parametrize("kind", KINDS)
def test_one_pixel(kind):
    inputs = make_inputs(kind, (2, 1, 1), (3, 3), True, np.random.default_rng(0))
    assert_equal_layers(make_both(6), *inputs)


@pytest.mark.parametrize("kind", ["noise", "regions"])
def test_auto_equals_dense_on_large_maps(kind):
    inputs = make_inputs(kind, (1, 40, 34), (40, 34), True, np.random.default_rng(1))
    assert_equal_layers(make_both(6, "auto"), *inputs, idle=IDLE, training=True)


@pytest.mark.parametrize("norm", NORMS)
def test_patterns_found_before_give_the_same(norm):
    x, labels, edges = make_inputs("regions", (2, 9, 8), (18, 12), True, np.random.default_rng(2))
    dense, block = make_both(5, norm=norm)
    for layer in (dense, block):
        layer(x, labels, edges)
    randomize_all(dense)
    block.set_weights(dense.get_weights())
    patterns = LabelPatterns(9, 8, CLASSES, modulation="patterns")(labels, edges)
    for training in (False, True):
        want = to_numpy(dense(x, labels, edges, training=training))
        assert relative_error(block(x, patterns, training=training), want) < 1e-5


@pytest.mark.parametrize(("policy", "limit"), [("mixed_bfloat16", 0.05), ("mixed_float16", 0.01)])
def test_half_precision_stays_near_dense(policy, limit):
    inputs = make_inputs("regions", (2, 9, 8), (18, 12), True, np.random.default_rng(3))
    whole, _ = make_both(5)
    blocks = [whole, *make_both(5, dtype=policy)]
    for block in blocks:
        block(*inputs)
    randomize_all(whole)
    start = whole.get_weights()
    for training in (False, True):
        outputs = []
        for block in blocks:
            block.set_weights(start)
            outputs.append(to_numpy(block(*inputs, training=training)))
        assert relative_error(outputs[2], outputs[0]) < limit
        assert relative_error(outputs[2], outputs[1]) < limit
