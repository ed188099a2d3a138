"""Three training steps from given weights, in its own process, on any backend.

    KERAS_BACKEND=jax python train_on_backend.py folder --dtype=float32
    KERAS_BACKEND=jax python train_on_backend.py folder --load tensorflow torch

writes losses, weights and pictures to `jax.npz` and the model to `jax.keras`; with `--load` it
paints with the models that other backends have written.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--dtype", default="float32")
parser.add_argument("--load", nargs="*", help="backends whose models are loaded")
parser.add_argument("--modulation", default="auto")
parser.add_argument("--devices", type=int, default=1, help="of JAX, virtual ones")
parser.add_argument("--own_noise", action="store_true", help="of the backend, not of NumPy")
parser.add_argument("--name", help="of the files written, if not that of the backend")
flags = parser.parse_args()
if flags.devices > 1:
    others = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{others} --xla_force_host_platform_device_count={flags.devices}"

import keras
import numpy as np

from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder

NAME = flags.name or keras.backend.backend()
SHAPE = (32, 64, 3)
if flags.devices > 1:
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    assert len(keras.distribution.list_devices()) == flags.devices
if flags.dtype == "float64":
    # On JAX and PyTorch, Keras' own promotion turns it into float32, e.g. in matrix products.
    keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
keras.config.set_floatx(flags.dtype)
keras.config.set_dtype_policy(flags.dtype)


def noise(shape, *args, **kwargs):
    """The same noise on all backends, whose random numbers differ, and at every step."""
    numbers = np.random.default_rng(0).standard_normal([int(size) for size in shape])
    return keras.ops.convert_to_tensor(numbers, flags.dtype)


if not flags.own_noise:
    keras.random.normal = noise
rng = np.random.default_rng(1)
labels = np.kron(rng.integers(0, 5, (4, 8, 8)), np.ones((4, 8), int)).astype("int32")
batch = {
    "labels": labels,
    "instances": labels + 7,
    "image": rng.uniform(-1, 1, (4, *SHAPE)).astype(flags.dtype),
}
latent = rng.standard_normal((4, 8))


def paint(gan):
    """Pictures as floats: rounding to bytes would hide or create differences."""
    inputs = {k: v for k, v in batch.items() if k != "image"}
    return keras.ops.convert_to_numpy(
        gan.paint_checked({**inputs, "latent": latent.astype(flags.dtype)})
    )


def arrays_of(gan, prefix):
    return {
        f"{prefix}/{i}/{variable.path}": keras.ops.convert_to_numpy(variable)
        for i, variable in enumerate(gan.weights)
    }


def step(gan):
    return gan.train_on_batch(batch, return_dict=True)


if flags.load is not None:
    found = {}
    for other in flags.load:
        gan = keras.models.load_model(flags.folder / f"{other}.keras")
        found[f"{other}/painted"] = paint(gan)
        found |= {f"{other}/loss/{k}": v for k, v in step(gan).items()}
    np.savez(flags.folder / f"{NAME}_loaded.npz", **found)
    raise SystemExit

common = {"num_classes": 5, "image_shape": SHAPE, "void_class": True, "instance_edges": True}
common["modulation"] = flags.modulation
gan = GauGAN(
    SPADEGenerator(**common, latent_dim=8, base_filters=2, hidden_filters=4),
    MultiScaleDiscriminator(**common, base_filters=4),
    StyleEncoder(SHAPE, 8, base_filters=2, resize_to=(128, 128)),
    seed=3,
)
for variable in gan.weights:
    numbers = rng.standard_normal(variable.shape)
    if variable.trainable:
        variable.assign(0.1 * numbers)
    elif variable.path.endswith(("/u", "/v")):
        variable.assign(numbers / np.linalg.norm(numbers))
gan.compile(perceptual_loss=None)
found = {}
for number in (1, 2, 3):
    found |= {f"loss{number}/{k}": v for k, v in step(gan).items()}
    if number != 2:
        found |= arrays_of(gan, f"weights{number}")
found["painted"] = paint(gan)
gan.save(flags.folder / f"{NAME}.keras")
history = gan.fit(batch, batch_size=2, shuffle=False, validation_data=batch, verbose=0).history
found |= {f"fit/{k}": v[0] for k, v in history.items()} | arrays_of(gan, "weights5")
np.savez(flags.folder / f"{NAME}.npz", **found)
