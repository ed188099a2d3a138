from pathlib import Path

import keras
import numpy as np
import pytest
from support.backends import (
    BACKEND,
    compiled_call,
    differentiate,
    float64_throughout,
    only_on,
    with_gradients,
)
from support.golden_files import read_arrays, relative_error
from support.harness import check_layer, gradients, randomize, to_numpy

from keras_spade import SpectralNorm

TFA = Path(__file__).parents[1] / "golden" / "tfa"
RNG = np.random.default_rng(0)

# name -> (the layer, its input)
LAYERS = {
    "conv1d": (
        lambda: keras.layers.Conv1D(5, 3, padding="same"),
        RNG.normal(size=(2, 7, 4)).astype("float32"),
    ),
    "conv2d": (
        lambda: keras.layers.Conv2D(5, 3, strides=2, padding="same"),
        RNG.normal(size=(2, 6, 5, 3)).astype("float32"),
    ),
    "conv2d_transpose": (
        lambda: keras.layers.Conv2DTranspose(5, 3, strides=2, padding="same"),
        RNG.normal(size=(2, 4, 3, 6)).astype("float32"),
    ),
    "dense": (
        lambda: keras.layers.Dense(7, activation="tanh"),
        RNG.normal(size=(4, 6)).astype("float32"),
    ),
    "embedding": (
        lambda: keras.layers.Embedding(9, 5),
        RNG.integers(0, 9, (3, 4)).astype("int32"),
    ),
}
EVERY = pytest.mark.parametrize("kind", list(LAYERS))


def wrapped(kind, seed=1, **kwargs):
    """The layer inside a `SpectralNorm`, with random weights, `u` and `v`, and an input."""
    make, x = LAYERS[kind]
    wrapper = SpectralNorm(make(), **kwargs)
    wrapper.build(x.shape)
    randomize(wrapper, seed)
    for vector in (wrapper.u, wrapper.v):
        vector.assign(unit(vector.shape, seed))
    return wrapper, x


def unit(shape, seed):
    """A random vector of length one."""
    vector = np.random.default_rng(seed).normal(size=shape)
    return vector / np.linalg.norm(vector)


def matrix(kind, kernel):
    """The kernel with one column per output, float64."""
    kernel = np.asarray(kernel, "float64")
    if kind == "conv2d_transpose":
        kernel = np.moveaxis(kernel, -2, -1)
    return kernel.reshape(-1, kernel.shape[-1])


def iterate(w, u, count=1):
    """Power iterations, algorithm 1 of the paper: v first, then u; and sigma from the new ones."""
    for _ in range(count):
        v = w @ u
        v = v / np.linalg.norm(v)
        u = v @ w
        u = u / np.linalg.norm(u)
    return u, v, v @ w @ u


def state_of(wrapper):
    return [to_numpy(weight) for weight in wrapper.weights]


def raw(wrapper):
    return to_numpy(wrapper.kernel)


# Mathematics.


@EVERY
def test_largest_singular_value_tends_to_one(kind):
    wrapper, x = wrapped(kind, power_iterations=5)
    before = np.linalg.svd(matrix(kind, raw(wrapper)), compute_uv=False)
    assert abs(before[0] - 1) > 0.1
    for _ in range(40):
        wrapper(x, training=True)
    kernel = to_numpy(wrapper.normalized_kernel())
    after = np.linalg.svd(matrix(kind, kernel), compute_uv=False)
    assert abs(after[0] - 1) < 1e-5
    np.testing.assert_allclose(after, before / before[0], rtol=1e-4)


@EVERY
@pytest.mark.parametrize("power_iterations", [1, 3])
def test_a_training_call_makes_its_iterations_and_keeps_the_kernel(kind, power_iterations):
    wrapper, x = wrapped(kind, power_iterations=power_iterations)
    kernel, u = raw(wrapper), to_numpy(wrapper.u)
    w = matrix(kind, kernel)
    assert u.shape == (w.shape[1],) and wrapper.v.shape == (w.shape[0],)
    for _ in range(3):
        wrapper(x, training=True)
        u, v, sigma = iterate(w, u, power_iterations)
        assert relative_error(wrapper.u, u) < 1e-5
        assert relative_error(wrapper.v, v) < 1e-5
        assert relative_error(wrapper.normalized_kernel(), kernel / sigma) < 1e-5
        np.testing.assert_array_equal(raw(wrapper), kernel)


@EVERY
def test_it_runs_the_layer_with_the_divided_kernel(kind):
    wrapper, x = wrapped(kind)
    kernel, (u, v) = raw(wrapper), map(to_numpy, (wrapper.u, wrapper.v))
    make, _ = LAYERS[kind]
    plain = make()
    plain.build(x.shape)

    def with_sigma(sigma):
        rest = [to_numpy(weight) for weight in wrapper.layer.weights[1:]]
        plain.set_weights([kernel / sigma, *rest])
        return to_numpy(plain(x))

    want = with_sigma(v @ matrix(kind, kernel) @ u)
    assert relative_error(wrapper(x), want) < 1e-5
    assert relative_error(wrapper(x, training=False), want) < 1e-5
    want = with_sigma(iterate(matrix(kind, kernel), u)[2])
    assert relative_error(wrapper(x, training=True), want) < 1e-5


@EVERY
def test_inference_moves_nothing(kind):
    wrapper, x = wrapped(kind)
    wrapper(x, training=True)
    before = state_of(wrapper)
    outputs = [to_numpy(wrapper(x)), to_numpy(wrapper(x, training=False))]
    wrapper.normalized_kernel()
    np.testing.assert_array_equal(*outputs)
    for old, new in zip(before, state_of(wrapper), strict=True):
        np.testing.assert_array_equal(old, new)


@EVERY
def test_the_first_vectors_are_random_and_of_length_one(kind):
    make, x = LAYERS[kind]
    vectors = []
    for _ in range(2):
        wrapper = SpectralNorm(make())
        wrapper.build(x.shape)
        vectors += [to_numpy(wrapper.u), to_numpy(wrapper.v)]
    np.testing.assert_allclose([np.linalg.norm(vector) for vector in vectors], 1.0, rtol=1e-6)
    assert np.max(np.abs(vectors[0] - vectors[2])) > 1e-2
    assert np.max(np.abs(vectors[1] - vectors[3])) > 1e-2


@pytest.mark.parametrize("make", [LAYERS["conv2d_transpose"][0], lambda: keras.layers.Dense(64)])
def test_a_fresh_layers_sigma_is_near_its_norm(make):
    x = np.zeros((1, 2, 2, 96), "float32")
    wrapper = SpectralNorm(make())
    wrapper.build(x.shape)
    kind = "conv2d_transpose" if len(wrapper.kernel.shape) == 4 else "dense"
    largest = np.linalg.norm(matrix(kind, to_numpy(wrapper.normalized_kernel())), 2)
    assert 1.0 - 1e-5 < largest < 1.15
    u = to_numpy(wrapper.u)
    assert relative_error(wrapper.v, iterate(matrix(kind, raw(wrapper)), u)[1]) < 1e-4


@only_on("tensorflow", "a compiled call elsewhere makes no variables")
def test_built_inside_a_compiled_call():
    import tensorflow as tf

    wrapper, x = SpectralNorm(LAYERS["dense"][0]()), LAYERS["dense"][1]
    y = to_numpy(tf.function(wrapper)(tf.constant(x)))
    largest = np.linalg.norm(to_numpy(wrapper.normalized_kernel()), 2)
    assert 1.0 - 1e-5 < largest < 1.15
    assert relative_error(wrapper(x), y) < 1e-6


def test_a_kernel_of_zeros_gives_no_nan_in_the_vectors():
    wrapper, x = wrapped("dense")
    wrapper.kernel.assign(np.zeros(wrapper.kernel.shape))
    wrapper.normalized_kernel(training=True)
    for vector in (wrapper.u, wrapper.v):
        np.testing.assert_array_equal(to_numpy(vector), 0.0)


# The gradient: of W / sigma(W) with constant u and v.


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", ["dense", "conv2d_transpose"])
def test_gradient_flows_through_sigma(kind, training):
    wrapper, _ = wrapped(kind)
    kernel = raw(wrapper).astype("float64")
    w, u, v = matrix(kind, kernel), to_numpy(wrapper.u), to_numpy(wrapper.v)
    if training:
        u, v, _ = iterate(w, u)
    seed = np.random.default_rng(2).normal(size=kernel.shape)

    def loss(kernel):
        return np.sum(seed * kernel) / (v @ matrix(kind, kernel) @ u)

    want, step = np.empty(kernel.shape), 1e-6
    for index in np.ndindex(kernel.shape):
        shift = np.zeros(kernel.shape)
        shift[index] = step
        want[index] = (loss(kernel + shift) - loss(kernel - shift)) / (2 * step)

    def loss_of_the_layer():
        normalized = wrapper.normalized_kernel(training=training)
        return keras.ops.sum(keras.ops.multiply(normalized, seed.astype("float32"))), None

    _, _, (got,) = differentiate(loss_of_the_layer, [], [wrapper.kernel], [wrapper.u, wrapper.v])
    assert relative_error(got, want) < 1e-5
    without = seed / (v @ w @ u)
    assert relative_error(want, without) > 0.1


@float64_throughout()
def test_gradient_of_a_float64_layer_by_finite_differences():
    x, seed = np.random.default_rng(3).normal(size=(2, 4, 6)).reshape(2, 4, 6)
    seed = np.random.default_rng(4).normal(size=(4, 3))
    wrapper = SpectralNorm(keras.layers.Dense(3, dtype="float64"), dtype="float64")
    wrapper.build(x.shape)
    randomize(wrapper)
    kernel, bias = (to_numpy(w) for w in (wrapper.kernel, wrapper.layer.bias))
    u, v, _ = iterate(kernel, to_numpy(wrapper.u))

    def loss(kernel):
        return np.sum(seed * (x @ kernel / (v @ kernel @ u) + bias))

    want, step = np.empty(kernel.shape), 1e-5
    for index in np.ndindex(kernel.shape):
        shift = np.zeros(kernel.shape)
        shift[index] = step
        want[index] = (loss(kernel + shift) - loss(kernel - shift)) / (2 * step)
    y, _, (grad, grad_bias) = gradients(wrapper, x, seed=seed, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == "float64"
    assert wrapper.u.dtype == wrapper.v.dtype == "float64"
    # On PyTorch, Keras multiplies float64 matrices as float32.
    assert relative_error(grad, want) < (1e-6 if BACKEND == "torch" else 1e-8)
    assert relative_error(grad_bias, seed.sum(axis=0)) < 1e-12


def test_the_gradient_is_orthogonal_to_the_kernel():
    # W / sigma does not change if W is scaled.
    for kind in LAYERS:
        wrapper, x = wrapped(kind)
        seed = np.random.default_rng(5).normal(size=wrapper(x).shape).astype("float32")
        _, _, grads = gradients(wrapper, x, seed=seed, training=True)
        # TensorFlow's gradient of an embedding is sparse.
        grad = to_numpy(keras.ops.convert_to_tensor(grads[0], sparse=False))
        kernel = raw(wrapper)
        scale = np.linalg.norm(grad) * np.linalg.norm(kernel)
        assert abs(np.sum(grad * kernel)) < 1e-5 * scale, kind


# tensorflow-addons, which overwrites the kernel; we keep it.


def from_tfa(name):
    """The golden file, and our layer with its weights."""
    golden = read_arrays(TFA / f"spectral_norm_{name}.npz")
    kernel = golden["state/kernel"]
    if "transpose" in name:
        strides = tuple(golden["config/strides"])
        layer = keras.layers.Conv2DTranspose(kernel.shape[2], kernel.shape[:2], strides, "same")
    elif "conv2d" in name:
        strides = tuple(golden["config/strides"])
        layer = keras.layers.Conv2D(kernel.shape[3], kernel.shape[:2], strides, "same")
    elif "dense" in name:
        layer = keras.layers.Dense(kernel.shape[1])
    else:
        layer = keras.layers.Embedding(*kernel.shape)
    wrapper = SpectralNorm(layer, power_iterations=int(golden["config/power_iterations"]))
    wrapper.build(golden["in/x"].shape)
    wrapper.kernel.assign(kernel)
    if "state/bias" in golden:
        layer.bias.assign(golden["state/bias"])
    return golden, wrapper


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", ["conv2d", "dense", "embedding"])
def test_calls_equal_those_of_tensorflow_addons(name, count):
    golden, wrapper = from_tfa(f"{name}_pi{count}")
    wrapper.u.assign(golden["state/u"][0])
    for call in ("call0", "call1", "call2", "eval"):
        y = wrapper(golden["in/x"], training=call != "eval")
        want = {key: golden[f"out/{call}/{key}"] for key in ("y", "u", "kernel")}
        assert relative_error(y, want["y"]) < 1e-5
        assert relative_error(wrapper.u, want["u"][0]) < 1e-5
        assert relative_error(wrapper.normalized_kernel(), want["kernel"]) < 1e-5
        np.testing.assert_array_equal(raw(wrapper), golden["state/kernel"])


@pytest.mark.parametrize("count", [1, 2])
def test_transposed_convolutions_have_other_rows_than_tensorflow_addons(count):
    golden, wrapper = from_tfa(f"conv2d_transpose_pi{count}")
    kernel = golden["state/kernel"]
    outputs, inputs = kernel.shape[2:]
    # Theirs has a row per input; the paper and PyTorch have a row per output.
    our_matrix, their_matrix = matrix("conv2d_transpose", kernel), kernel.reshape(-1, inputs)
    our_u, their_u = unit((outputs,), 3), golden["state/u"][0]
    assert wrapper.u.shape == (outputs,) and their_u.shape == (inputs,)
    wrapper.u.assign(our_u)
    for call in range(3):
        y = wrapper(golden["in/x"], training=True)
        our_u, _, our_sigma = iterate(our_matrix, our_u, count)
        their_u, _, their_sigma = iterate(their_matrix, their_u, count)
        ours, theirs = to_numpy(wrapper.normalized_kernel()), golden[f"out/call{call}/kernel"]
        assert relative_error(ours, kernel / our_sigma) < 1e-5
        assert relative_error(theirs, kernel / their_sigma) < 1e-5
        assert relative_error(ours, theirs) > 1e-3
        bias = golden["state/bias"]
        want = (golden[f"out/call{call}/y"] - bias) * (their_sigma / our_sigma) + bias
        assert relative_error(y, want) < 1e-5


def test_gradients_equal_those_of_tensorflow_addons_but_for_sigma():
    golden, wrapper = from_tfa("conv2d_grad")
    wrapper.u.assign(golden["state/u"][0])
    y, grad_x, (grad, grad_bias) = gradients(
        wrapper, golden["in/x"], seed=golden["in/grad_seed"], training=True
    )
    assert relative_error(y, golden["out/call0/y"]) < 1e-5
    assert relative_error(grad_x, golden["grad/x"]) < 1e-5
    assert relative_error(grad_bias, golden["grad/bias"]) < 1e-5
    # Theirs is the gradient G for W / sigma; d(W / sigma) = dW / sigma - W <v u^T, dW> / sigma^2.
    kernel, theirs = (golden[key].astype("float64") for key in ("state/kernel", "grad/kernel_tfa"))
    u, v, sigma = iterate(matrix("conv2d", kernel), golden["state/u"][0].astype("float64"))
    outer = np.outer(v, u).reshape(kernel.shape)
    want = (theirs - np.sum(theirs * kernel / sigma) * outer) / sigma
    assert relative_error(grad, want) < 1e-5
    assert relative_error(theirs / sigma, want) > 1e-2


# Keras.


@EVERY
def test_what_every_layer_must_do(kind):
    make, x = LAYERS[kind]
    check_layer(
        lambda: SpectralNorm(make(), power_iterations=2, epsilon=1e-10),
        x,
        output_shape=make()(x).shape,
        trainable=1 if kind == "embedding" else 2,
        non_trainable=2,
        training=True,
    )


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_the_iteration_is_float32_in_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    wrapper, x = wrapped("conv2d")
    assert wrapper.u.dtype == wrapper.v.dtype == wrapper.kernel.dtype == "float32"
    u, v, _ = iterate(matrix("conv2d", raw(wrapper)), to_numpy(wrapper.u))
    wrapper(x, training=True)
    assert relative_error(wrapper.u, u) < 1e-5
    assert relative_error(wrapper.v, v) < 1e-5


@with_gradients()
def test_a_model_learns_the_direction_of_its_kernel():
    # A spectrally normalised row can only learn y = x w with |w| = 1.
    rng = np.random.default_rng(6)
    x, w = rng.normal(size=(512, 4)).astype("float32"), np.array([[0.8], [0.0], [-0.6], [0.0]])
    wrapper = SpectralNorm(keras.layers.Dense(1, use_bias=False))
    model = keras.Sequential([keras.Input((4,)), wrapper])
    model.compile(keras.optimizers.SGD(0.2), "mse", jit_compile=False)
    first = raw(wrapper)
    vector = to_numpy(wrapper.v)
    model.fit(x, x @ w, batch_size=8, epochs=2, verbose=0)
    assert np.max(np.abs(raw(wrapper) - first)) > 0.1
    assert np.max(np.abs(to_numpy(wrapper.v) - vector)) > 0.1
    assert abs(np.linalg.norm(raw(wrapper)) - 1.0) > 1e-3
    np.testing.assert_allclose(to_numpy(wrapper.normalized_kernel()), w, atol=1e-2)
    np.testing.assert_allclose(to_numpy(model(x)), x @ w, atol=3e-2)


@pytest.mark.parametrize("jit", [False, True])
def test_a_compiled_call_iterates_once(jit):
    wrapper, x = wrapped("conv2d")
    w, u = matrix("conv2d", raw(wrapper)), to_numpy(wrapper.u)
    step = compiled_call(wrapper, jit, training=True)
    for _ in range(2):
        step(keras.ops.convert_to_tensor(x))
        u, v, _ = iterate(w, u)
        assert relative_error(wrapper.u, u) < 1e-5
        assert relative_error(wrapper.v, v) < 1e-5


def test_a_stateless_call_returns_the_new_vectors():
    wrapper, x = wrapped("dense")
    kernel, bias = 2.0 * raw(wrapper) + 0.1, to_numpy(wrapper.layer.bias) + 1.0
    before = state_of(wrapper)
    u, v, sigma = iterate(kernel.astype("float64"), to_numpy(wrapper.u))
    vectors = [weight.value for weight in wrapper.non_trainable_weights]
    y, (new_u, new_v) = wrapper.stateless_call([kernel, bias], vectors, x, training=True)
    assert relative_error(y, np.tanh(x @ (kernel / sigma) + bias)) < 1e-5
    assert relative_error(new_u, u) < 1e-5
    assert relative_error(new_v, v) < 1e-5
    for old, new in zip(before, state_of(wrapper), strict=True):
        np.testing.assert_array_equal(old, new)


def test_saved_and_loaded(tmp_path):
    inputs = keras.Input((6, 5, 3))
    y = SpectralNorm(keras.layers.Conv2D(4, 3, name="inner"), name="outer")(inputs)
    y = keras.layers.Flatten()(y)
    outputs = SpectralNorm(keras.layers.Dense(2), power_iterations=2, epsilon=1e-9)(y)
    model = keras.Model(inputs, outputs)
    x = LAYERS["conv2d"][1]
    for _ in range(2):
        model(x, training=True)
    model.save(tmp_path / "model.keras")
    keras.utils.set_random_seed(99)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert sum(w.path.endswith(("/u", "/v")) for w in loaded.weights) == 4
    for old, new in zip(model.weights, loaded.weights, strict=True):
        assert old.name == new.name
        np.testing.assert_array_equal(to_numpy(old), to_numpy(new))
    for training in (False, True):
        np.testing.assert_array_equal(
            to_numpy(model(x, training=training)), to_numpy(loaded(x, training=training))
        )
    assert (loaded.layers[-1].power_iterations, loaded.layers[-1].epsilon) == (2, 1e-9)


def test_the_optimizer_trains_the_raw_kernel_only():
    wrapper, _ = wrapped("conv2d")
    trainable = [weight.path.rsplit("/", 1)[1] for weight in wrapper.trainable_weights]
    assert trainable == ["kernel", "bias"] and wrapper.kernel is wrapper.layer.kernel
    assert [weight.name for weight in wrapper.non_trainable_weights] == ["u", "v"]
    embedding, _ = wrapped("embedding")
    assert embedding.kernel is embedding.layer.embeddings


@pytest.mark.parametrize(
    "layer", [keras.layers.ReLU, keras.layers.LayerNormalization, keras.layers.Flatten]
)
def test_layers_without_a_kernel(layer):
    words = f"`layer` must have a kernel or embeddings .*; {layer.__name__} 'here' has none"
    with pytest.raises(ValueError, match=words):
        SpectralNorm(layer(name="here"))(np.zeros((2, 4), "float32"))


@pytest.mark.parametrize("power_iterations", [0, -1])
def test_fewer_iterations_than_one(power_iterations):
    words = f"`power_iterations` must be at least 1, got {power_iterations}"
    with pytest.raises(ValueError, match=words):
        SpectralNorm(keras.layers.Dense(2), power_iterations=power_iterations)


@pytest.mark.parametrize("what", ["wrapper", "layer", "kernel", "constructor"])
def test_frozen_it_makes_no_power_iteration(what):
    wrapper, x = wrapped("conv2d", trainable=what != "constructor")
    assert what != "constructor" or not any(w.trainable for w in wrapper.weights)
    frozen = {"wrapper": wrapper, "layer": wrapper.layer, "kernel": wrapper.kernel}
    if what in frozen:
        frozen[what].trainable = False
    before = [to_numpy(weight) for weight in wrapper.weights]
    u, v, kernel = (to_numpy(w).astype("float64") for w in (wrapper.u, wrapper.v, wrapper.kernel))
    sigma = v @ kernel.reshape(-1, kernel.shape[-1]) @ u
    plain = keras.layers.Conv2D(5, 3, strides=2, padding="same")
    plain.build(x.shape)
    plain.set_weights([kernel / sigma, to_numpy(wrapper.layer.bias)])
    assert relative_error(wrapper(x, training=True), to_numpy(plain(x))) < 1e-4
    for weight, then in zip(wrapper.weights, before, strict=True):
        np.testing.assert_array_equal(weight, then)
    wrapper.trainable = False
    wrapper.trainable = True
    wrapper(x, training=True)
    assert not np.array_equal(wrapper.u, u.astype("float32"))
