"""A small training run in its own process; tests kill it, distribute it and run it again.

    python train.py out.npz --backup=folder --replicas=2 ...

Writes weights, statistics, optimizers and all logged losses at the end. Every step prints a line.
"""

import argparse
import functools
import gc
import io
import itertools
import json
import os
import signal
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--replicas", type=int, default=1, help="logical CPU devices")
parser.add_argument("--workers", default="", help="ports of all workers on 127.0.0.1, by commas")
parser.add_argument("--index", type=int, default=0, help="of this worker")
parser.add_argument("--backup", default="", help="folder")
parser.add_argument("--save_freq", type=int, default=0)
parser.add_argument("--checkpoint", default="", help=".keras file written after every epoch")
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--samples", type=int, default=21)
parser.add_argument("--batch_size", type=int, default=8)
parser.add_argument("--data", default="scenes", choices=["scenes", "shuffled", "fixed"])
parser.add_argument("--encoder", action="store_true")
parser.add_argument("--generator", default="tiny", choices=["tiny", "spade"])
parser.add_argument("--dtype", default="float32")
parser.add_argument("--modulation", default="auto", help="dense: traced in two thirds of the time")
parser.add_argument("--rate", type=float, help="of SGD; without it, the paper's Adam")
parser.add_argument("--ema", action="store_true")
parser.add_argument("--validation", action="store_true")
parser.add_argument("--die_while_writing", type=int, default=0, help="at this backup, 1 the first")
parser.add_argument("--bad_label", action="store_true", help="in the last sample")
parser.add_argument("--memory", action="store_true", help="print it at steps 100, 200 ...")
flags = parser.parse_args()

if flags.workers:
    cluster = {"worker": [f"127.0.0.1:{port}" for port in flags.workers.split(",")]}
    task = {"type": "worker", "index": flags.index}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})

import keras
import numpy as np
import tensorflow as tf

strategy = tf.distribute.get_strategy()
if flags.workers:
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
elif flags.replicas > 1:
    cpu = tf.config.list_physical_devices("CPU")[0]
    devices = [tf.config.LogicalDeviceConfiguration()] * flags.replicas
    tf.config.set_logical_device_configuration(cpu, devices)
    strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(flags.replicas)])
assert strategy.num_replicas_in_sync == max(flags.replicas, len(flags.workers.split(",")))

from support.tiny_generator import TinyGenerator

from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder, callbacks
from keras_spade.datasets import SCENE_CLASSES, draw_scenes, synthetic_scenes
from keras_spade.optimizers import BiasCorrectedAdam

if flags.dtype in ("float32", "float64"):
    keras.config.set_floatx(flags.dtype)
keras.config.set_dtype_policy(flags.dtype)
keras.utils.set_random_seed(0)
SHAPE = (32, 64, 3)


def optimizer(rate, **kwargs):
    if flags.rate:
        return keras.optimizers.SGD(flags.rate, **kwargs)
    return BiasCorrectedAdam(rate, **kwargs)


with strategy.scope():
    networks = {
        "num_classes": len(SCENE_CLASSES),
        "image_shape": SHAPE,
        "void_class": True,
        "instance_edges": True,
        "modulation": flags.modulation,
    }
    generator = TinyGenerator
    if flags.generator == "spade":
        generator = functools.partial(SPADEGenerator, base_filters=2, hidden_filters=4)
    averages = {"use_ema": True, "ema_momentum": 0.9} if flags.ema else {}
    gan = GauGAN(
        generator(**networks, latent_dim=4 if flags.encoder else None),
        MultiScaleDiscriminator(**networks, base_filters=4),
        StyleEncoder(SHAPE, 4, 2, resize_to=(128, 128)) if flags.encoder else None,
        seed=3,
    )
    gan.compile(optimizer(1e-4, **averages), optimizer(4e-4), perceptual_loss=None)


def batches(first_scene=0, kind=flags.data):
    """Drawn scenes with a border of void in the label maps."""
    arrays = draw_scenes(flags.samples, SHAPE[:2], first_scene=first_scene)
    arrays["labels"][:, :3] = len(SCENE_CLASSES)
    arrays["image"] = (arrays["image"] / 127.5 - 1).astype("float32")
    if flags.bad_label:
        arrays["labels"][-1] = 99
    elif kind == "scenes":
        return {
            "x": synthetic_scenes(
                flags.samples, SHAPE[:2], flags.batch_size, augment=True, drop_remainder=False
            )
        }
    data = tf.data.Dataset.from_tensor_slices(arrays)
    if kind == "shuffled":
        data = data.shuffle(flags.samples, seed=5)
    return {"x": data.batch(flags.batch_size)}


class Steps(keras.callbacks.Callback):
    """Prints and records the losses of every step."""

    rows = []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.rows.append({name: float(value) for name, value in logs.items()})
        print(f"step {self.epoch} {batch}", flush=True)
        if flags.memory and len(self.rows) % 100 == 0:
            gc.collect()
            with open("/proc/self/statm") as file:
                pages = int(file.read().split()[1])
            print(f"memory {len(self.rows)} {pages * os.sysconf('SC_PAGE_SIZE')}", flush=True)


watchers = [Steps(), callbacks.LinearDecay()]
if flags.backup:
    save_freq = flags.save_freq or "epoch"
    watchers.insert(0, callbacks.BackupAndRestore(flags.backup, save_freq=save_freq))
if flags.ema:
    watchers.append(keras.callbacks.SwapEMAWeights())
if flags.checkpoint:
    watchers.append(keras.callbacks.ModelCheckpoint(flags.checkpoint))
traced, step = [], gan.train_step
gan.train_step = lambda data: traced.append(1) or step(data)  # called when it is traced
if flags.die_while_writing:
    whole, calls = np.savez, itertools.count(1)

    def write_half_and_die(file, **arrays):
        if next(calls) < flags.die_while_writing:
            return whole(file, **arrays)
        content = io.BytesIO()
        whole(content, **arrays)
        file.write(content.getvalue()[: content.tell() // 2])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    np.savez = write_half_and_die
print("begin", flush=True)
history = gan.fit(
    **batches(),
    epochs=flags.epochs,
    validation_data=batches(10_000, "fixed")["x"] if flags.validation else None,
    verbose=0,
    callbacks=watchers,
).history
print(f"traces {len(traced)}")
arrays = {
    f"{group}/{variable.path}": keras.ops.convert_to_numpy(variable)
    for group, variables in gan.state_variables().items()
    for variable in variables
}
batch = {k: v[:5] for k, v in draw_scenes(5, SHAPE[:2], first_scene=20_000).items()}
if not flags.workers:
    arrays["predicted"] = gan.predict(batch, batch_size=4, verbose=0)  # one sample for all at last
if flags.ema:
    copy = gan.averaged()
    arrays |= {f"averaged/{v.path}": np.asarray(v) for v in copy.generator.weights}
    if flags.checkpoint:
        copy.save(f"{flags.checkpoint}.averaged.keras")
if flags.index == 0 or not flags.workers:  # alone
    if flags.encoder:
        batch["latent"] = np.linspace(-1, 1, 20, dtype="float32").reshape(5, 4)
    painted = gan.generate(batch["labels"], batch["instances"], latent=batch.get("latent"))
    # Compared before rounding to 256 levels.
    arrays["painted"] = np.asarray(gan.paint_checked(batch), "float64")
    assert np.abs(painted - (arrays["painted"] + 1) * 127.5).max() <= 0.51
partial = f"{flags.out}.partial.npz"
np.savez(partial, rows=json.dumps(Steps.rows), history=json.dumps(history), **arrays)
os.replace(partial, flags.out)
sys.exit()
