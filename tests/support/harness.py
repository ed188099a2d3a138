"""Checks that every layer must pass, and weights from the golden files."""

import inspect
import json
import re

import keras
import numpy as np
from keras import ops
from support.backends import differentiate
from support.golden_files import relative_error

NORMS = {"syncbatch": "sync_batch", "batch": "batch", "instance": "instance"}


def to_numpy(x):
    """A tensor or variable as an array; 16-bit floats as float32."""
    if keras.backend.standardize_dtype(x.dtype) in ("bfloat16", "float16"):
        x = ops.cast(x, "float32")
    return ops.convert_to_numpy(x)


def randomize(layer, seed=0, scale=0.3):
    """Sets large random weights; leaves moving variances and unit vectors unchanged."""
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        weight.assign(scale * rng.standard_normal(weight.shape))


def gradients(layer, x, *others, seed, **kwargs):
    """`y`, and the gradients of `sum(y * seed)`: for `x`, and a list for the trainable weights."""
    x = ops.convert_to_tensor(x)
    floating = "float" in keras.backend.standardize_dtype(x.dtype)

    def loss(*inputs):
        y = layer(*(inputs or (x,)), *others, **kwargs)
        return ops.sum(ops.multiply(ops.cast(y, seed.dtype), seed)), y

    y, of_inputs, of_weights = differentiate(
        loss, [x] * floating, layer.trainable_weights, layer.non_trainable_weights
    )
    return y, of_inputs[0] if floating else None, of_weights


def check_layer(make, *inputs, output_shape, trainable=0, non_trainable=0, idle=(), **kwargs):
    """Checks all requirements on a layer.

    `make()` returns a new layer, `inputs` are its arguments as arrays, `trainable` and
    `non_trainable` the numbers of its weights, `idle` parts of the paths of weights whose true
    gradient is zero, and `kwargs` arguments of the call in the training step.
    """
    layer = make()
    y = layer(*inputs)
    assert tuple(y.shape) == output_shape
    assert len(layer.trainable_weights) == trainable, [w.path for w in layer.trainable_weights]
    assert len(layer.non_trainable_weights) == non_trainable
    _check_config(layer, inputs, y)
    _check_symbolic(layer, inputs, y)
    _check_dtypes(make, inputs, layer, y)
    _check_training_step(layer, inputs, y, idle, kwargs)


def _check_config(layer, inputs, y):
    config = layer.get_config()
    stored = json.loads(json.dumps(config))
    for name in set(inspect.signature(type(layer)).parameters) - {"layer", "args", "kwargs"}:
        assert config[name] == getattr(layer, name)
    copies = [
        type(layer).from_config(config),
        keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)),
    ]
    for copy in copies:
        copy(*inputs)
        copy.set_weights(layer.get_weights())
        np.testing.assert_array_equal(to_numpy(copy(*inputs)), to_numpy(y))
        assert json.loads(json.dumps(copy.get_config())) == stored


def _check_symbolic(layer, inputs, y):
    for batch in (y.shape[0], None):
        symbols = [keras.Input(batch_shape=(batch, *a.shape[1:]), dtype=a.dtype) for a in inputs]
        symbol = layer(*symbols)
        assert tuple(symbol.shape) == (batch, *y.shape[1:])
        assert symbol.dtype == keras.backend.standardize_dtype(y.dtype)
        assert tuple(layer.compute_output_shape(*(s.shape for s in symbols))) == symbol.shape
    np.testing.assert_allclose(
        to_numpy(keras.Model(symbols, symbol)(list(inputs))), to_numpy(y), rtol=1e-5, atol=1e-6
    )


def _check_dtypes(make, inputs, layer, y):
    default = keras.config.dtype_policy()
    for policy, limit in [("mixed_bfloat16", 0.05), ("mixed_float16", 0.01)]:
        keras.config.set_dtype_policy(policy)
        mixed = make()
        keras.config.set_dtype_policy(default)
        got = mixed(*inputs)
        assert keras.backend.standardize_dtype(got.dtype) == policy.removeprefix("mixed_")
        # A wrapper uses the policy of its layer.
        inner = getattr(mixed, "layer", mixed)
        assert inner.compute_dtype == policy.removeprefix("mixed_")
        assert {w.dtype for w in mixed.weights} <= {"float32"}
        mixed.set_weights(layer.get_weights())
        assert relative_error(to_numpy(mixed(*inputs)), to_numpy(y)) < limit
        copy = type(mixed).from_config(mixed.get_config())
        assert copy(*inputs).dtype == got.dtype


def _check_training_step(layer, inputs, y, idle, kwargs):
    seed = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    _, grad_x, grads = gradients(layer, *inputs, seed=seed, **kwargs)
    if grad_x is not None:
        assert np.all(np.isfinite(to_numpy(grad_x))) and np.any(to_numpy(grad_x))
    weights = layer.trainable_weights
    before = [to_numpy(w) for w in weights]
    assert all(grad is not None for grad in grads)
    if weights:
        keras.optimizers.SGD(0.1).apply(grads, weights)
    for weight, old in zip(weights, before, strict=True):
        if not any(part in weight.path for part in idle):
            assert np.any(to_numpy(weight) != old), weight.path


def golden_options(golden):
    """The arguments of `SPADE` and `SPADEResBlock` for a golden file."""
    spectral, norm, size = re.fullmatch(
        r"(spectral)?spade(\D+?)(\d)x\d", golden.config["norm"]
    ).groups()
    return {"norm": NORMS[norm], "kernel_size": int(size)}, spectral is not None


def golden_segmap(golden, form):
    """The label map of a golden file as one-hot floats (H, W, k) or integer labels."""
    segmap = golden["in/seg"]
    assert np.all(segmap.sum(axis=1) == 1) and set(np.unique(segmap)) == {0, 1}
    if form == "map":
        return np.ascontiguousarray(np.moveaxis(segmap, 1, -1))
    return np.argmax(segmap, axis=1).astype("int32")


def _conv_kernel(weight):
    return np.transpose(weight, (2, 3, 1, 0))


def _as_is(weight):
    return weight


def _conv(name, conv):
    entries = {f"{name}.weight": (conv.kernel, _conv_kernel)}
    if conv.use_bias:
        entries[f"{name}.bias"] = (conv.bias, _as_is)
    return entries


def _spectral_conv(name, wrapper):
    height, width, channels, _ = wrapper.layer.kernel.shape

    def by_rows(v):
        return np.transpose(v.reshape(channels, height, width), (1, 2, 0)).reshape(-1)

    entries = _conv(name, wrapper.layer)
    entries[f"{name}.weight_orig"] = entries.pop(f"{name}.weight")
    entries[f"{name}.weight_u"] = (wrapper.u, _as_is)
    entries[f"{name}.weight_v"] = (wrapper.v, by_rows)
    return entries


def spade_entries(spade, prefix=""):
    """A dict name in the reference -> our variable, and the conversion to our layout."""
    entries = {
        **_conv(f"{prefix}mlp_shared.0", spade.shared),
        **_conv(f"{prefix}mlp_gamma", spade.gamma),
        **_conv(f"{prefix}mlp_beta", spade.beta),
    }
    if spade.norm != "instance":
        norm = spade.feature_norm
        entries[f"{prefix}param_free_norm.running_mean"] = (norm.moving_mean, _as_is)
        entries[f"{prefix}param_free_norm.running_var"] = (norm.moving_variance, _as_is)
    return entries


def block_entries(block):
    """The same for a residual block."""
    entries, conv = {}, _spectral_conv if block.spectral_norm else _conv
    for branch in ("0", "1", "s")[: 3 if block.learned_shortcut else 2]:
        entries |= spade_entries(getattr(block, f"norm_{branch}"), f"norm_{branch}.")
        entries |= conv(f"conv_{branch}", getattr(block, f"conv_{branch}"))
    return entries


def load_state(entries, state):
    """Sets every variable from a golden file; both sides must match completely."""
    names = {name for name in state if not name.endswith("num_batches_tracked")}
    assert names == set(entries)
    for name, (variable, convert) in entries.items():
        variable.assign(convert(state[name]))


def check_state(entries, state, limit):
    """Compares the variables named in `state`."""
    for name in state:
        if not name.endswith("num_batches_tracked"):
            variable, convert = entries[name]
            assert relative_error(variable, convert(state[name])) < limit, name
