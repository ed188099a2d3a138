"""Tables of fixed length, and layers whose patterns do not fit in them."""

import keras
import numpy as np
import pytest
from support.backends import differentiate, only_on, sixty_four_bits
from support.harness import to_numpy
from support.pattern_cases import assert_equal_layers, difference, label_map, randomize_all

from keras_spade.layers import SPADE, LabelConv2D, LabelPatterns, distinct_windows
from keras_spade.segmaps.bounded_patterns import table_share
from keras_spade.segmaps.bounded_windows import bounded_windows

pytestmark = only_on("jax", "elsewhere, tables are as long as there are patterns")
SPADE_WINDOWS = ((3, 1), (3, 1))
# On a map of this size, a SPADE's table has `0.6 * SIZE * SIZE` rows.
SIZE = 100
# The branch for label maps whose patterns fit into half a table, the full table, or neither.
FITS = {"half": 0, "whole": 1, "none": 2}


def labels_for(fit, classes=4, size=SIZE):
    """A flat label map with noise, whose patterns fit into a table or not."""
    labels = np.zeros((1, size, size), "int32")
    rows = {"half": 0.1, "whole": 0.35, "none": 1.0}[fit]
    noise = np.random.default_rng(0).integers(0, classes, (1, int(rows * size), size))
    labels[:, : noise.shape[1]] = noise
    return labels


def make_inputs(fit, edges=False):
    rng = np.random.default_rng(1)
    labels = labels_for(fit)
    x = rng.normal(1.0, 2.0, (1, SIZE, SIZE, 3)).astype("float32")
    return x, labels, *([(labels == 1).astype("float32")] * edges)


def make_both(**options):
    """The oracle, and the layer under test."""
    options = {"num_classes": 4, "hidden_filters": 4, **options}
    return [SPADE(modulation=choice, **options) for choice in ("dense", "patterns")]


@pytest.mark.parametrize("kernel_size", [3, 4])
def test_a_table_of_any_length_counts_all(kernel_size):
    ids = label_map("noise", (2, 9, 8), 3, np.random.default_rng(0)) + 1
    members, index = (to_numpy(x) for x in distinct_windows(ids, 2, kernel_size))
    for rows in (1, len(members) - 1, len(members), index.size):
        share = (rows - 0.5) / index.size
        table, numbers, count = bounded_windows(ids, 2, kernel_size, 1, share)
        table, numbers = to_numpy(table), to_numpy(numbers)
        assert len(table) == rows and int(count) == len(members)
        assert numbers.min() >= 0 and numbers.max() < rows
        if rows >= len(members):
            np.testing.assert_array_equal(table[numbers], members[index])
            # Unused rows are windows of the map too.
            assert {*map(tuple, table.tolist())} == {*map(tuple, members.tolist())}


def test_shares_by_hand():
    assert table_share((256, 256), SPADE_WINDOWS) == pytest.approx(12 * 5 / 256)
    assert table_share((256, 512), ((5, 1), (5, 1))) == pytest.approx(12 * 9 / 256)
    assert table_share((512, 256), ((3, 2), (3, 2), (4, 2))) == pytest.approx(12 * 19 / 256)
    assert table_share((1000, 800), ((4, 2),)) == pytest.approx(12 * 4 / 800)
    assert table_share((32, 64), SPADE_WINDOWS) == 1.0


@pytest.mark.parametrize("edges", [False, True])
@pytest.mark.parametrize("fit", FITS)
def test_fit_says_whether_every_window_has_its_row(fit, edges):
    _, labels, *others = make_inputs(fit, edges)
    patterns = LabelPatterns(SIZE, SIZE, 4)(labels, *others)
    assert int(patterns["fit"]) == FITS[fit]
    assert {tuple(patterns[f"members_{level}"].shape) for level in (0, 1)} == {(6000, 9)}
    ids = np.where(labels == 1, 5 * edges, 0) + labels + 1
    np.testing.assert_array_equal(to_numpy(patterns["ids"]), ids)
    _, index = distinct_windows(ids, 4, 3)
    members, _ = distinct_windows(index + 1, 14, 3)
    assert [len(members) > rows for rows in (3000, 6000)] == [fit != "half", fit == "none"]


def test_a_table_may_be_full():
    # With 1 x 1 windows, the patterns are the labels, and the table has 0.12 rows per pixel.
    for count, fit in ((599, 0), (600, 0), (601, 1), (1200, 1), (1201, 2)):
        labels = (np.arange(100 * 100) % count).reshape(1, 100, 100)
        patterns = LabelPatterns(100, 100, 2000, ((1, 1),))(labels)
        assert patterns["members_0"].shape[0] == 1200 and int(patterns["fit"]) == fit


def test_a_first_window_may_not_fit_though_the_last_does():
    # Noise of which the second window, with stride 40, sees almost nothing.
    labels = np.random.default_rng(0).integers(0, 3, (1, 400, 400))
    windows = ((3, 1), (1, 40))
    patterns = LabelPatterns(400, 400, 3, windows)(labels)
    assert to_numpy(patterns["members_0"]).shape[0] == 14400
    assert int(patterns["fit"]) == 2


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("fit", FITS)
def test_spades_equal_dense(fit, norm):
    inputs = make_inputs(fit, edges=norm == "batch")
    assert_equal_layers(make_both(norm=norm), *inputs, training=True)


@pytest.mark.parametrize("halvings", [0, 1])
@pytest.mark.parametrize("fit", FITS)
def test_convolutions_equal_dense(fit, halvings):
    size = 150 if halvings else 100
    labels = labels_for(fit, size=size)
    windows = ((3, 2),) * halvings + ((4, 2),)
    assert int(LabelPatterns(size, size, 4, windows)(labels)["fit"]) == FITS[fit]
    rows = (size + 1) // 2 if halvings else size
    image = np.random.default_rng(2).normal(size=(2, rows, rows, 3)).astype("float32")
    layers = [
        LabelConv2D(3, 4, 2, num_classes=4, halvings=halvings, modulation=choice)
        for choice in ("dense", "patterns")
    ]
    assert_equal_layers(layers, labels, image, limits=(1e-5, 1e-5))


@pytest.mark.parametrize(("policy", "limit"), [("mixed_bfloat16", 0.03), ("mixed_float16", 5e-3)])
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_half_precision_stays_near_dense(norm, policy, limit):
    dense, layer = make_both(norm=norm)[0], make_both(norm=norm, dtype=policy)[1]
    x, labels = make_inputs("half")
    for spade in (dense, layer):
        spade.build(x.shape, labels.shape)
    randomize_all(dense)
    layer.set_weights(dense.get_weights())
    search = compiled(LabelPatterns(SIZE, SIZE, 4, dtype=policy))
    call = compiled(lambda x, segmap: layer(x, segmap, training=norm == "instance"))
    for fit in FITS:
        x, labels = make_inputs(fit)
        patterns = search(labels)
        got = call(x, patterns)
        assert got.dtype == policy.removeprefix("mixed_")
        want = dense(x, labels, training=norm == "instance")
        assert difference(got, want) < limit
        assert difference(layer(x, patterns, training=norm == "instance"), want) < limit


def compiled(function):
    import jax

    return jax.jit(function)


def test_compiled_once_for_all_label_maps():
    dense, layer = make_both()
    x, labels = make_inputs("half")
    for spade in (dense, layer):
        spade.build(x.shape, labels.shape)
    randomize_all(dense)
    layer.set_weights(dense.get_weights())
    traces = []

    def call(x, labels):
        traces.append(labels.shape)
        return layer(x, labels)

    call = compiled(call)
    for fit in FITS:
        x, labels = make_inputs(fit)
        want = dense(x, labels)
        assert difference(call(x, labels), want) < 1e-5
        assert difference(layer(x, labels), want) < 1e-5  # Not compiled.
    assert traces == [(1, SIZE, SIZE)]


@pytest.mark.parametrize("fit", FITS)
def test_gradients_without_compiling(fit):
    import jax

    x, labels = make_inputs(fit)
    layers = make_both(norm="instance")
    found = []
    for spade in layers:
        spade.build(x.shape, labels.shape)
    randomize_all(layers[0])
    layers[1].set_weights(layers[0].get_weights())
    for spade in layers:
        weights = [weight.value for weight in spade.trainable_weights]

        def loss(x, weights, spade=spade):
            y, _ = spade.stateless_call(weights, [], x, labels, training=True)
            return keras.ops.sum(y**2)

        found.append(jax.tree.leaves(jax.grad(loss, argnums=(0, 1))(x, weights)))
    for want, got in zip(*found, strict=True):
        assert difference(got, want) < 1e-4


@pytest.mark.parametrize("fit", FITS)
@sixty_four_bits()
def test_float64_agrees_to_its_own_rounding(fit):
    keras.config.set_floatx("float64")
    x, *others = make_inputs(fit, edges=True)
    layers = make_both(dtype="float64")
    inputs = (x.astype("float64"), *others)
    assert_equal_layers(layers, *inputs, limits=(1e-13, 1e-13), training=True)


def test_gradients_by_the_label_map_of_a_functional_model():
    labels, x = keras.Input((SIZE, SIZE), dtype="int32"), keras.Input((SIZE, SIZE, 3))
    patterns = LabelPatterns(SIZE, SIZE, 4)(labels)
    model = keras.Model([labels, x], SPADE("instance", num_classes=4)(x, patterns))
    dense = SPADE("instance", num_classes=4, modulation="dense")
    dense.build((1, SIZE, SIZE, 3), (1, SIZE, SIZE))
    dense.set_weights(model.get_weights())
    seed = np.random.default_rng(3).normal(size=(1, SIZE, SIZE, 3)).astype("float32")
    for fit in FITS:
        x, labels = make_inputs(fit)
        got, want = (
            differentiate(lambda x, f=f: (keras.ops.sum(f(x) * seed), ()), [x], [])[1]
            for f in (
                lambda x, labels=labels: model([keras.ops.array(labels), x]),
                lambda x, labels=labels: dense(x, labels),
            )
        )
        assert difference(got[0], want[0]) < 1e-5
        assert difference(model.predict([labels, x], verbose=0), dense(x, labels)) < 1e-5
