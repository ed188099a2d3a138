from pathlib import Path

import keras
import numpy as np
import pytest
from support.backends import compiled_call, sixty_four_bits
from support.golden_files import channels_last, load_golden, read_arrays, relative_error
from support.harness import check_layer, gradients, to_numpy

from keras_spade.layers import FeatureNorm
from keras_spade.layers.feature_norm import collecting_moments

TFA = sorted((Path(__file__).parents[1] / "golden" / "tfa").glob("instance_norm_*.npz"))
BATCH_NORMS = pytest.mark.parametrize("norm", ["sync_batch", "batch"])


def normalized(x, axes, epsilon=1e-5):
    """Normalises by the formula, in float64; also returns mean and biased variance."""
    x = np.asarray(x, "float64")
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon), mean, variance


def gradient(x, seed, axes, epsilon=1e-5):
    """The gradient of `sum(normalized(x) * seed)`, by the formula of Ioffe and Szegedy."""
    y, _, variance = normalized(x, axes, epsilon)
    centred = seed - seed.mean(axis=axes, keepdims=True)
    centred = centred - y * (y * seed).mean(axis=axes, keepdims=True)
    return centred / np.sqrt(variance + epsilon)


def random_maps(shape=(3, 5, 4, 6), seed=0):
    """Maps with different means and deviations per channel; one deviation near sqrt(epsilon)."""
    rng = np.random.default_rng(seed)
    deviation = np.geomspace(3e-3, 10.0, shape[-1])
    mean = deviation * rng.normal(size=shape[-1])
    return (rng.normal(size=shape) * deviation + mean).astype("float32")


# Reference numbers of others.


def test_single_device_numbers_of_the_reference():
    golden = load_golden("spade_syncbn_multidevice_formula")
    x = channels_last(golden["in/x"])
    single, several = (channels_last(golden[f"out/{kind}/y"]) for kind in ("single", "multi"))
    assert relative_error(single, several) > 1e-2
    for norm in ("sync_batch", "batch"):
        layer = FeatureNorm(norm)
        layer.build(x.shape)
        layer.moving_mean.assign(golden["state/running_mean"])
        layer.moving_variance.assign(golden["state/running_var"])
        assert relative_error(layer(x, training=True), single) < 1e-5
        for variable, name in [(layer.moving_mean, "mean"), (layer.moving_variance, "var")]:
            assert relative_error(variable, golden[f"out/single/state/running_{name}"]) < 1e-5


@pytest.mark.parametrize("path", TFA, ids=lambda path: path.stem)
def test_instance_norm_of_tensorflow_addons(path):
    golden = read_arrays(path)
    affine = "state/gamma" in golden
    layer = FeatureNorm("instance", affine=affine, epsilon=float(golden["config/epsilon"]))
    x = golden["in/x"]
    layer.build(x.shape)
    if affine:
        layer.gamma.assign(golden["state/gamma"])
        layer.beta.assign(golden["state/beta"])
    y, grad_x, grads = gradients(layer, x, seed=golden["in/grad_seed"])
    assert relative_error(y, golden["out/y"]) < 1e-5
    assert relative_error(grad_x, golden["grad/x"]) < 1e-5
    names = [weight.name for weight in layer.trainable_weights]
    assert names == (["gamma", "beta"] if affine else [])
    for name, grad in zip(names, grads, strict=True):
        assert relative_error(grad, golden[f"grad/{name}"]) < 1e-5


def test_there_are_such_files():
    affine = ["affine" in path.stem for path in TFA]
    assert set(affine) == {True, False} and any("small" in path.stem for path in TFA)


# The formula.


@BATCH_NORMS
def test_training_takes_and_keeps_the_batchs_statistics(norm):
    layer = FeatureNorm(norm)
    mean, variance = np.zeros(6), np.ones(6)
    for step in range(3):
        x = random_maps(seed=step)
        want, batch_mean, batch_variance = normalized(x, (0, 1, 2))
        assert relative_error(layer(x, training=True), want) < 1e-5
        unbiased = batch_variance.ravel() * 60 / 59
        mean = 0.9 * mean + 0.1 * batch_mean.ravel()
        variance = 0.9 * variance + 0.1 * unbiased
        np.testing.assert_allclose(to_numpy(layer.moving_mean), mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(to_numpy(layer.moving_variance), variance, rtol=1e-5)
    for training in ({}, {"training": False}):
        got = layer(x, **training)
        assert relative_error(got, (x - mean) / np.sqrt(variance + 1e-5)) < 1e-5
    np.testing.assert_allclose(to_numpy(layer.moving_mean), mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(to_numpy(layer.moving_variance), variance, rtol=1e-5)


@BATCH_NORMS
def test_momentum_and_epsilon(norm):
    x = random_maps()
    layer = FeatureNorm(norm, momentum=0.25, epsilon=0.5)
    want, mean, variance = normalized(x, (0, 1, 2), 0.5)
    assert relative_error(layer(x, training=True), want) < 1e-5
    np.testing.assert_allclose(to_numpy(layer.moving_mean), 0.75 * mean.ravel(), rtol=1e-5)
    unbiased = variance.ravel() * 60 / 59
    np.testing.assert_allclose(to_numpy(layer.moving_variance), 0.25 + 0.75 * unbiased, rtol=1e-5)


def test_instance_norm_is_the_same_in_training():
    x = random_maps()
    layer = FeatureNorm("instance")
    want, _, _ = normalized(x, (1, 2))
    for training in (False, True):
        assert relative_error(layer(x, training=training), want) < 1e-5
    assert layer.weights == []


@pytest.mark.parametrize("norm", ["sync_batch", "batch", "instance"])
def test_gradients_by_the_formula(norm):
    x = random_maps()[..., 1:]
    seed = np.random.default_rng(1).normal(size=x.shape).astype("float32")
    axes = (1, 2) if norm == "instance" else (0, 1, 2)
    _, grad_x, _ = gradients(FeatureNorm(norm), x, seed=seed, training=True)
    want = gradient(x, seed, axes)
    for channel in range(x.shape[-1]):
        assert relative_error(grad_x[..., channel], want[..., channel]) < 1e-4


@BATCH_NORMS
def test_inference_is_linear(norm):
    x = random_maps()
    layer = FeatureNorm(norm)
    layer.build(x.shape)
    variance = np.linspace(0.1, 4.0, 6).astype("float32")
    layer.moving_variance.assign(variance)
    seed = np.random.default_rng(2).normal(size=x.shape).astype("float32")
    _, grad_x, _ = gradients(layer, x, seed=seed)
    assert relative_error(grad_x, seed / np.sqrt(variance + 1e-5)) < 1e-5


@BATCH_NORMS
def test_affine_batch_norm(norm):
    x = random_maps()
    layer = FeatureNorm(norm, affine=True)
    layer.build(x.shape)
    gamma, beta = np.random.default_rng(3).normal(size=(2, 6)).astype("float32")
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    want, _, _ = normalized(x, (0, 1, 2))
    y, _, grads = gradients(layer, x, seed=np.ones(x.shape, "float32"), training=True)
    assert relative_error(y, want * gamma + beta) < 1e-5
    np.testing.assert_allclose(to_numpy(grads[0]), 0.0, atol=1e-4)
    np.testing.assert_allclose(to_numpy(grads[1]), 60.0)


# Cases in which rounding could dominate.


def test_a_large_map_far_from_zero():
    x = np.random.default_rng(4).normal(100.0, 1.0, (1, 512, 512, 2)).astype("float32")
    layer = FeatureNorm("batch")
    want, mean, variance = normalized(x, (0, 1, 2))
    assert relative_error(layer(x, training=True), want) < 1e-5
    assert relative_error(to_numpy(layer.moving_mean), 0.1 * mean.ravel()) < 1e-6
    assert relative_error(to_numpy(layer.moving_variance), 0.9 + 0.1 * variance.ravel()) < 1e-5
    want, _, _ = normalized(x, (1, 2))
    assert relative_error(FeatureNorm("instance")(x), want) < 1e-5


@pytest.mark.parametrize("norm", ["sync_batch", "batch", "instance"])
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_statistics_are_float32_in_mixed_precision(norm, policy):
    # The square of 1000 overflows float16; the eight bits of bfloat16 would leave no variance.
    x = np.random.default_rng(5).normal(1000.0, 100.0, (2, 16, 16, 3)).astype("float32")
    x = to_numpy(keras.ops.cast(x, policy.removeprefix("mixed_")))
    want, mean, variance = normalized(x, (1, 2) if norm == "instance" else (0, 1, 2))
    layer = FeatureNorm(norm, dtype=policy)
    y = layer(x, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == policy.removeprefix("mixed_")
    # Half a unit in the last place of a 16-bit float.
    np.testing.assert_allclose(to_numpy(y), want, rtol=2.0 ** (-8 if "bf" in policy else -11))
    if norm != "instance":
        assert layer.moving_mean.dtype == layer.moving_variance.dtype == "float32"
        unbiased = variance.ravel() * 512 / 511
        assert relative_error(to_numpy(layer.moving_mean), 0.1 * mean.ravel()) < 1e-5
        assert relative_error(to_numpy(layer.moving_variance), 0.9 + 0.1 * unbiased) < 1e-5


@pytest.mark.parametrize(
    ("gamma", "beta", "want"),
    [
        # With 8 bits, 1 + 2^-8 would already be rounded to 1.
        (1.0 + 2.0**-8, 2.0**-8, [-1.0, 1.0 + 2.0**-7]),
        (1.0, 1.0 + 2.0**-8, [2.0**-8, 2.0]),
    ],
)
def test_scale_and_offset_are_float32_in_mixed_precision(gamma, beta, want):
    x = np.array([-1.0, 1.0], "float32").reshape(1, 1, 2, 1)
    layer = FeatureNorm("instance", affine=True, epsilon=1e-12, dtype="mixed_bfloat16")
    layer.build(x.shape)
    layer.gamma.assign([gamma])
    layer.beta.assign([beta])
    assert to_numpy(layer(x)).ravel().tolist() == want


@sixty_four_bits()
def test_float64():
    keras.config.set_floatx("float64")
    x = random_maps().astype("float64")
    layer = FeatureNorm("batch", dtype="float64")
    want, mean, _ = normalized(x, (0, 1, 2))
    assert relative_error(layer(x, training=True), want) < 1e-12
    assert relative_error(layer.moving_mean, 0.1 * mean.ravel()) < 1e-12
    assert layer.moving_variance.dtype == "float64"


# Corners.


@BATCH_NORMS
def test_a_single_pixel_in_training_is_zero_and_no_nan(norm):
    x = np.array([2.0, -3.0, 0.5], "float32").reshape(1, 1, 1, 3)
    layer = FeatureNorm(norm)
    np.testing.assert_array_equal(to_numpy(layer(x, training=True)), 0.0)
    np.testing.assert_allclose(to_numpy(layer.moving_mean), 0.1 * x.ravel(), rtol=1e-6)
    np.testing.assert_allclose(to_numpy(layer.moving_variance), 0.9, rtol=1e-6)
    _, grad_x, _ = gradients(layer, x, seed=np.ones(x.shape, "float32"), training=True)
    np.testing.assert_array_equal(to_numpy(grad_x), 0.0)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"FeatureNorm 'here': instance norm of 1 x 1 maps .*zero"):
        FeatureNorm("instance", name="here")(np.zeros((2, 1, 1, 3), "float32"))
    assert FeatureNorm("instance")(np.zeros((2, 1, 2, 3), "float32")).shape == (2, 1, 2, 3)
    for norm in ("group", "syncbatch", None):
        with pytest.raises(ValueError, match=f"`norm` must be one of .*'instance'.*got {norm!r}"):
            FeatureNorm(norm)
    for shape in [(2, 4, 3), (1, 2, 4, 4, 3)]:
        with pytest.raises(ValueError, match="expected ndim=4, found ndim="):
            FeatureNorm("batch")(np.zeros(shape, "float32"))


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("norm", ["sync_batch", "batch", "instance"])
def test_what_every_layer_must_do(norm, affine):
    x = np.random.default_rng(6).normal(1.0, 2.0, (2, 4, 5, 3)).astype("float32")
    check_layer(
        lambda: FeatureNorm(norm, affine=affine, momentum=0.5, epsilon=1e-3),
        x,
        output_shape=x.shape,
        trainable=2 * affine,
        non_trainable=0 if norm == "instance" else 2,
        training=True,
    )


@BATCH_NORMS
def test_stateless_calls_return_the_moved_statistics(norm):
    x = random_maps()
    want, mean, _ = normalized(x, (0, 1, 2))
    layer = FeatureNorm(norm)
    layer.build(x.shape)
    y, state = layer.stateless_call([], [v.value for v in layer.weights], x, training=True)
    assert relative_error(y, want) < 1e-5
    assert relative_error(state[0], 0.1 * mean.ravel()) < 1e-5
    np.testing.assert_array_equal(to_numpy(layer.moving_mean), 0.0)


@BATCH_NORMS
def test_compiled_calls_move_the_statistics_once(norm):
    x = random_maps()
    want, mean, _ = normalized(x, (0, 1, 2))
    layer = FeatureNorm(norm)
    layer.build(x.shape)
    step = compiled_call(layer, training=True)
    for count in (1, 2):
        assert relative_error(step(keras.ops.convert_to_tensor(x)), want) < 1e-5
        moved = (1 - 0.9**count) * mean.ravel()
        assert relative_error(layer.moving_mean, moved) < 1e-5


@BATCH_NORMS
def test_frozen_it_normalises_by_moving_statistics_which_stand_still(norm):
    x = random_maps()
    mean, variance = np.linspace(-1, 1, 6), np.linspace(0.5, 3, 6)
    for layer in (FeatureNorm(norm), FeatureNorm(norm, trainable=False)):
        layer.build(x.shape)
        layer.trainable = False
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)
        y = to_numpy(layer(x, training=True))
        np.testing.assert_allclose(y, (x - mean) / np.sqrt(variance + 1e-5), rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(layer.moving_mean, mean.astype("float32"))
        np.testing.assert_array_equal(layer.moving_variance, variance.astype("float32"))
    layer.trainable = True
    assert relative_error(layer(x, training=True), normalized(x, (0, 1, 2))[0]) < 1e-4


def test_frozen_instance_norm_is_as_it_was():
    x = random_maps()
    y = FeatureNorm("instance", trainable=False)(x, training=True)
    assert relative_error(y, normalized(x, (1, 2))[0]) < 1e-4


@BATCH_NORMS
@pytest.mark.parametrize("training", [False, True])
def test_moments_are_collected_and_nothing_moves(norm, training):
    x = random_maps()
    layer, frozen = FeatureNorm(norm), FeatureNorm(norm, trainable=False)
    instance = FeatureNorm("instance")
    for one in (layer, frozen, instance):
        one.build(x.shape)
    want, mean, variance = normalized(x, (0, 1, 2))
    with collecting_moments() as collected:
        for _ in range(2):
            assert relative_error(layer(x, training=training), want) < 1e-5
        assert relative_error(frozen(x, training=training), x / np.sqrt(1 + 1e-5)) < 1e-5
        instance(x)
    assert list(collected) == [layer] and len(collected[layer]) == 2
    moments = collected[layer][1]
    np.testing.assert_allclose(to_numpy(moments.mean), mean.ravel(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(to_numpy(moments.variance), variance.ravel(), rtol=1e-5)
    assert float(moments.count) == 3 * 5 * 4
    assert not to_numpy(layer.moving_mean).any()
    layer(x, training=True)  # No longer collected.
    assert len(collected[layer]) == 2 and to_numpy(layer.moving_mean).any()
