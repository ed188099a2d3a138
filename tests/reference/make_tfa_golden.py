"""Writes golden files from tensorflow-addons 0.23.0 (run it in its own environment).

tensorflow-addons cannot be imported with Keras 3, so the results of its layers are written once
to small `.npz` files, and the tests compare with those. From the root of the repository:

    python3.11 -m venv tfaenv
    tfaenv/bin/pip install "tensorflow-cpu==2.15.1" "tensorflow-addons==0.23.0"
    tfaenv/bin/python tests/reference/make_tfa_golden.py --out tests/golden/tfa

Every weight and input comes from NumPy's `default_rng` with a fixed seed, so nothing depends
on TensorFlow's random numbers; oneDNN is off and one thread is used, so that a second run on
the same machine writes the same bytes.

Keys: `in/...` inputs, `state/...` the weights before the first call, `config/...` the
settings, `out/...` outputs, `grad/...` gradients of `sum(y * in/grad_seed)`.

* `instance_norm_*.npz`: `tfa.layers.InstanceNormalization`; `state/gamma`, `state/beta` and
  their gradients are absent where `scale=False, center=False`.
* `spectral_norm_*_pi<n>.npz`: `tfa.layers.SpectralNormalization` with `power_iterations=n`.
  `out/call0`, `out/call1`, `out/call2` are three calls in a row with `training=True` and no
  optimizer in between, each with `y`, and with `u` and `kernel` after the call (the
  wrapper overwrites the kernel with `kernel / sigma`); `out/eval` is a call with
  `training=False` after them. `kernel` is the layer's `embeddings` for `Embedding`.
* `spectral_norm_conv2d_grad.npz`: one call with `training=True` in a `GradientTape`. The
  wrapper assigns `kernel / sigma` to the variable before the layer reads it, and an assignment
  has no gradient, so `grad/kernel_tfa` is the gradient with respect to the overwritten kernel:
  `sigma` is a constant in it and it is not divided by `sigma` either.

Floats are float32; integers (token ids, `config/` counts and strides) are int32.
"""

import argparse
import os
import pathlib

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

TF_VERSION = "2.15.1"
TFA_VERSION = "0.23.0"
CALLS = 3
MAX_BYTES = 60_000


def normal(rng, shape, scale=1.0, offset=0.0):
    """Normal float32 numbers."""
    return (offset + scale * rng.standard_normal(shape)).astype(np.float32)


def write(out, name, arrays):
    """Write `arrays` (key to array) as `name`.npz, and print the file."""
    arrays = {key: np.asarray(value) for key, value in arrays.items()}
    for key, value in arrays.items():
        if value.dtype not in (np.float32, np.int32):
            raise TypeError(f"{name}: {key} has dtype {value.dtype}")
        if value.dtype == np.float32 and not np.isfinite(value).all():
            raise ValueError(f"{name}: {key} is not finite")
    path = out / f"{name}.npz"
    np.savez(path, **arrays)
    size = path.stat().st_size
    if size >= MAX_BYTES:
        raise ValueError(f"{path.name} has {size} bytes, more than {MAX_BYTES}")
    print(f"{path.name} ({size} bytes)")
    for key, value in arrays.items():
        print(f"    {key} {value.dtype} {value.shape}")


def instance_norm(rng, shape, x_scale=1.5, x_offset=0.7, affine=True, **kwargs):
    """Output and gradients of one `InstanceNormalization`."""
    layer = tfa.layers.InstanceNormalization(center=affine, scale=affine, **kwargs)
    layer.build(shape)
    x = normal(rng, shape, scale=x_scale, offset=x_offset)
    grad_seed = normal(rng, shape)
    arrays = {
        "config/epsilon": np.float32(layer.epsilon),
        "in/x": x,
        "in/grad_seed": grad_seed,
    }
    weights = {}
    if affine:
        weights = {"gamma": layer.gamma, "beta": layer.beta}
        layer.gamma.assign(normal(rng, shape[-1:], scale=0.5, offset=1.0))
        layer.beta.assign(normal(rng, shape[-1:], scale=0.5))
        arrays.update({f"state/{key}": value.numpy() for key, value in weights.items()})
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = layer(inputs)
        loss = tf.reduce_sum(y * grad_seed)
    grads = tape.gradient(loss, {"x": inputs, **weights})
    arrays["out/y"] = y.numpy()
    arrays.update({f"grad/{key}": value.numpy() for key, value in grads.items()})
    return arrays


def kernel_of(layer):
    """The variable that `SpectralNormalization` normalises."""
    return layer.kernel if hasattr(layer, "kernel") else layer.embeddings


def spectral_norm_layer(rng, layer, x, power_iterations):
    """The wrapped layer with weights set from `rng`, and the arrays that describe it."""
    wrapper = tfa.layers.SpectralNormalization(layer, power_iterations=power_iterations)
    wrapper.build(x.shape)
    kernel = kernel_of(layer)
    kernel.assign(normal(rng, kernel.shape, scale=0.4))
    # Not of unit length, like the layer's own initial value.
    wrapper.u.assign(normal(rng, wrapper.u.shape, scale=0.02))
    arrays = {"config/power_iterations": np.int32(power_iterations)}
    if hasattr(layer, "strides"):
        arrays["config/strides"] = np.asarray(layer.strides, np.int32)
    arrays["in/x"] = x
    arrays["state/kernel"] = kernel.numpy()
    if getattr(layer, "bias", None) is not None:
        layer.bias.assign(normal(rng, layer.bias.shape, scale=0.3))
        arrays["state/bias"] = layer.bias.numpy()
    arrays["state/u"] = wrapper.u.numpy()
    return wrapper, arrays


def after_call(wrapper, y):
    """The variables after a call."""
    return {"y": y.numpy(), "u": wrapper.u.numpy(), "kernel": kernel_of(wrapper.layer).numpy()}


def spectral_norm(rng, layer, x, power_iterations):
    """Three training calls and one without training."""
    wrapper, arrays = spectral_norm_layer(rng, layer, x, power_iterations)
    for i in range(CALLS):
        found = after_call(wrapper, wrapper(x, training=True))
        arrays.update({f"out/call{i}/{key}": value for key, value in found.items()})
    found = after_call(wrapper, wrapper(x, training=False))
    for key in ("u", "kernel"):
        np.testing.assert_array_equal(found[key], arrays[f"out/call{CALLS - 1}/{key}"])
    arrays.update({f"out/eval/{key}": value for key, value in found.items()})
    return arrays


def spectral_norm_grad(rng, layer, x, power_iterations):
    """Gradients of one training call, as computed with the wrapper."""
    wrapper, arrays = spectral_norm_layer(rng, layer, x, power_iterations)
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = wrapper(inputs, training=True)
        grad_seed = normal(rng, y.shape)
        loss = tf.reduce_sum(y * grad_seed)
    grads = tape.gradient(loss, {"kernel_tfa": kernel_of(layer), "bias": layer.bias, "x": inputs})
    arrays["in/grad_seed"] = grad_seed
    found = after_call(wrapper, y)
    arrays.update({f"out/call0/{key}": value for key, value in found.items()})
    arrays.update({f"grad/{key}": value.numpy() for key, value in grads.items()})
    return arrays


def write_all(out):
    """Write every file into the folder `out`."""
    seed = 20230

    def rng():
        nonlocal seed
        seed += 1
        return np.random.default_rng(seed)

    shapes = {"2x7x5x3": (2, 7, 5, 3), "1x4x6x8": (1, 4, 6, 8), "3x2x9x4": (3, 2, 9, 4)}
    for label, shape in shapes.items():
        write(out, f"instance_norm_affine_{label}", instance_norm(rng(), shape))
        write(
            out,
            f"instance_norm_plain_{label}",
            instance_norm(rng(), shape, affine=False, epsilon=1e-5),
        )
    # A variance about as large as epsilon, so that a wrong epsilon shows.
    shape = shapes["2x7x5x3"]
    small = {"x_scale": 0.03, "x_offset": 0.0}
    write(out, "instance_norm_affine_small", instance_norm(rng(), shape, **small))
    small = {"x_scale": 0.003, "x_offset": 0.0, "affine": False, "epsilon": 1e-5}
    write(out, "instance_norm_plain_small", instance_norm(rng(), shape, **small))

    layers = tf.keras.layers
    for n in (1, 2):
        r = rng()
        x = normal(r, (2, 6, 5, 3))
        layer = layers.Conv2D(5, 3, padding="same")
        write(out, f"spectral_norm_conv2d_pi{n}", spectral_norm(r, layer, x, n))

        r = rng()
        x = normal(r, (4, 6))
        write(out, f"spectral_norm_dense_pi{n}", spectral_norm(r, layers.Dense(7), x, n))

        r = rng()
        x = r.integers(0, 9, (3, 4)).astype(np.int32)
        layer = layers.Embedding(9, 5)
        write(out, f"spectral_norm_embedding_pi{n}", spectral_norm(r, layer, x, n))

        # The kernel is (height, width, out, in): the last axis, and so `u`, is the input's.
        r = rng()
        x = normal(r, (2, 4, 3, 3))
        layer = layers.Conv2DTranspose(5, 3, strides=2, padding="same")
        write(out, f"spectral_norm_conv2d_transpose_pi{n}", spectral_norm(r, layer, x, n))

    r = rng()
    x = normal(r, (2, 6, 5, 3))
    layer = layers.Conv2D(5, 3, padding="same")
    write(out, "spectral_norm_conv2d_grad", spectral_norm_grad(r, layer, x, 1))


def main():
    """Read the arguments and write the files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = pathlib.Path(__file__).resolve().parent.parent / "golden" / "tfa"
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=default,
        help="folder to write into (default: ../golden/tfa, next to this script's folder)",
    )
    args = parser.parse_args()
    if (tf.__version__, tfa.__version__) != (TF_VERSION, TFA_VERSION):
        raise SystemExit(
            f"needs tensorflow {TF_VERSION} and tensorflow-addons {TFA_VERSION}, "
            f"found {tf.__version__} and {tfa.__version__}"
        )
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    write_all(args.out)


if __name__ == "__main__":
    main()
