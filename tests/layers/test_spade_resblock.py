import keras
import numpy as np
import pytest
from support.backends import sixty_four_bits
from support.golden_files import channels_last, golden_names, load_golden, relative_error
from support.harness import (
    block_entries,
    check_layer,
    check_state,
    golden_options,
    golden_segmap,
    gradients,
    load_state,
    to_numpy,
)

from keras_spade import SPADEResBlock
from keras_spade.layers import FeatureNorm

NAMES = golden_names("resblock_")
FORMS = pytest.mark.parametrize("form", ["map", "patterns", "dense", "auto"])
EVERY = pytest.mark.parametrize("name", NAMES)


def golden_block(name, form, **kwargs):
    """The block with the golden file's weights, and its inputs."""
    golden = load_golden(name)
    options, spectral = golden_options(golden)
    if form != "map":
        options |= {"num_classes": golden.config["semantic_nc"], "modulation": form}
    block = SPADEResBlock(golden.config["fout"], spectral_norm=spectral, **options, **kwargs)
    x, segmap = channels_last(golden["in/x"]), golden_segmap(golden, form)
    block.build(x.shape, segmap.shape)
    load_state(block_entries(block), golden.below("state/"))
    return golden, block, x, segmap


def test_golden_files_cover_what_they_should():
    configs = [load_golden(name).config for name in NAMES]
    assert {np.sign(c["fout"] - c["fin"]) for c in configs} == {-1, 0, 1}
    assert {c["norm"].startswith("spectral") for c in configs} == {True, False}


@FORMS
@EVERY
def test_outputs_and_states_equal_the_references(name, form):
    golden, block, x, segmap = golden_block(name, form)
    for _ in range(2):  # inference moves nothing
        assert relative_error(block(x, segmap), channels_last(golden["out/eval/y"])) < 1e-5
    y = block(x, segmap, training=True)
    assert relative_error(y, channels_last(golden["out/train/y"])) < 1e-5
    state = golden.below("out/train/state/")
    assert any("weight_u" in key for key in state) == block.spectral_norm
    check_state(block_entries(block), state, 1e-5)


@FORMS
@EVERY
def test_gradients_equal_the_references(name, form):
    golden, block, x, segmap = golden_block(name, form)
    seed = channels_last(golden["in/grad_seed"])
    y, grad_x, grads = gradients(block, x, segmap, seed=seed, training=True)
    loss = np.sum(to_numpy(y).astype("float64") * seed)
    scale = np.sum(np.abs(to_numpy(y) * seed))
    assert abs(loss - golden["out/train/loss"]) < 1e-6 * scale
    assert relative_error(grad_x, channels_last(golden["out/train/grad_x"])) < 1e-4
    grads = dict(zip([w.path for w in block.trainable_weights], grads, strict=True))
    entries, seen = block_entries(block), set()
    for key, want in golden.below("out/train/grad/").items():
        variable, convert = entries[key]
        seen.add(variable.path)
        if key not in golden.meta["zero_grad_params"]:
            assert relative_error(grads[variable.path], convert(want)) < 1e-4, key
    assert seen == set(grads)


@EVERY
@sixty_four_bits()
def test_float64_is_closer_still(name):
    keras.config.set_floatx("float64")
    golden, block, x, segmap = golden_block(name, "auto", dtype="float64")
    x = x.astype("float64")
    y = block(x, segmap)
    assert keras.backend.standardize_dtype(y.dtype) == "float64"
    assert {weight.dtype for weight in block.weights} == {"float64"}
    assert relative_error(y, channels_last(golden["out/eval/y"])) < 1e-6
    y = block(x, segmap, training=True)
    assert relative_error(y, channels_last(golden["out/train/y"])) < 1e-6
    check_state(block_entries(block), golden.below("out/train/state/"), 1e-6)


def test_a_silent_branch_leaves_the_shortcut():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 6, 6, 4)).astype("float32")
    labels = rng.integers(0, 3, (1, 12, 12))
    block = SPADEResBlock(4, num_classes=3)
    block.build(x.shape, labels.shape)
    # With gamma = -1 and beta = 0, the branch outputs only the bias.
    for conv, value in ((block.norm_1.gamma, -1.0), (block.norm_1.beta, 0.0)):
        conv.kernel.assign(np.zeros(conv.kernel.shape))
        conv.bias.assign(np.full(4, value))
    bias = np.array([0.5, -1.0, 2.0, 0.0], "float32")
    block.conv_1.layer.bias.assign(bias)
    for training in (False, True):
        np.testing.assert_array_equal(to_numpy(block(x, labels, training=training)), x + bias)


@pytest.mark.parametrize(
    ("norm", "spectral", "filters"),
    [("sync_batch", True, 4), ("batch", False, 3), ("instance", True, 6)],
)
def test_what_every_layer_must_do(norm, spectral, filters):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 6, 5, 4)).astype("float32")
    labels = rng.integers(0, 4, (2, 12, 10)).astype("int32")
    edges = rng.integers(0, 2, (2, 12, 10)).astype("float32")
    branches = 2 if filters == 4 else 3
    trainable = 6 * branches + 4 + (branches == 3)
    statistics = 0 if norm == "instance" else 2
    check_layer(
        lambda: SPADEResBlock(
            filters, norm, num_classes=4, hidden_filters=8, kernel_size=1, spectral_norm=spectral
        ),
        x,
        labels,
        edges,
        output_shape=(2, 6, 5, filters),
        trainable=trainable,
        non_trainable=branches * (statistics + 2 * spectral),
        # The following normalisation removes this bias.
        idle=["conv_0/conv/bias", "conv_0/bias"],
        training=True,
    )


def test_middle_width_and_what_is_spectral():
    block = SPADEResBlock(7, num_classes=3)
    block.build((1, 8, 8, 4), (1, 8, 8))
    assert block.conv_0.kernel.shape == (3, 3, 4, 4)
    assert block.conv_1.kernel.shape == (3, 3, 4, 7)
    assert block.conv_s.kernel.shape == (1, 1, 4, 7)
    assert not block.conv_s.layer.use_bias
    vectors = [w.path for w in block.non_trainable_weights if w.path.endswith(("/u", "/v"))]
    assert len(vectors) == 6 and not any("norm_" in path for path in vectors)


def test_bad_arguments():
    x = np.zeros((1, 4, 4, 3), "float32")
    with pytest.raises(ValueError, match="`kernel_size` must be odd and positive, got 4"):
        SPADEResBlock(3, kernel_size=4)(x, np.zeros((1, 8, 8, 5), "float32"))
    with pytest.raises(ValueError, match="`norm` must be one of .*, got 'layer'"):
        SPADEResBlock(3, "layer")(x, np.zeros((1, 8, 8, 5), "float32"))
    with pytest.raises(ValueError, match="`segmap` must be integer labels .*num_classes=None"):
        SPADEResBlock(3)(x, np.zeros((1, 8, 8), "int32"))
    with pytest.raises(ValueError, match=r"`segmap` must be integer labels .*dtype float32"):
        SPADEResBlock(3, num_classes=5)(x, np.zeros((1, 8, 8), "float32"))


def test_saved_and_loaded(tmp_path):
    golden, block, x, segmap = golden_block("resblock_spectralspadebatch3x3_down", "auto")
    inputs = [keras.Input(x.shape[1:]), keras.Input(segmap.shape[1:], dtype="int32")]
    keras.Model(inputs, block(*inputs)).save(tmp_path / "block.keras")
    model = keras.models.load_model(tmp_path / "block.keras")
    assert relative_error(model([x, segmap]), channels_last(golden["out/eval/y"])) < 1e-5
    y = model([x, segmap], training=True)
    assert relative_error(y, channels_last(golden["out/train/y"])) < 1e-5


def test_two_norms_share_their_moments_in_16_bits(monkeypatch):
    """The statistics are those of the input in float32, whose mean 16 bits would round."""
    calls = []
    compute = FeatureNorm.moments
    monkeypatch.setattr(FeatureNorm, "moments", lambda *args: calls.append(1) or compute(*args))
    block = SPADEResBlock(6, num_classes=3, modulation="dense", dtype="mixed_bfloat16")
    x = np.random.default_rng(0).normal(1.0, 1.0, (2, 8, 8, 4))
    x = keras.ops.cast(x, "bfloat16")
    block(x, np.zeros((2, 8, 8), "int32"), training=True)
    assert len(calls) == 2  # for norm_0 and norm_s, and for norm_1
    mean = to_numpy(keras.ops.cast(x, "float32")).mean(axis=(0, 1, 2))
    for norm in (block.norm_0, block.norm_s):
        np.testing.assert_allclose(to_numpy(norm.feature_norm.moving_mean), 0.1 * mean, rtol=1e-6)
