"""Resumes training from the files of `tests/golden/files`, in its own process.

    python go_on.py tests/golden/files model out.npz

writes the result, starting from the `model`, the `weights`, or the backup with data of `epochs` or
`arrays`. It uses one thread, no oneDNN, whose order of sums changes from run to run, and no graph
rewriting: TensorFlow's arithmetic optimizer rewrites two graphs of the same operations differently.
`machine` holds the bits of sums computed by Keras alone: if they differ from those of the machine
that wrote the files, equal bits cannot be expected.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ |= {
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}

import keras
import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.earlier_gan import new_gan, paint, samples, state_of

from keras_spade.callbacks import BackupAndRestore, LinearDecay
from keras_spade.datasets import by_epoch, epoch_order
from keras_spade.optimizers import BiasCorrectedAdam

tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def batches():
    """Two batches, always in this order."""
    return tf.data.Dataset.from_tensor_slices(samples()).batch(2)


def arrays():
    """Data as arrays, shuffled by `fit` in every epoch."""
    return {"x": samples(), "batch_size": 2}


def epochs():
    """Data in a different order in every epoch, determined by its number."""

    def for_epoch(epoch, first_batch):
        order = epoch_order(4, epoch, seed=7)[first_batch * 2 :]
        numbers = tf.data.Dataset.from_tensor_slices(order).batch(2)
        return numbers.map(lambda batch: {k: tf.gather(v, batch) for k, v in samples().items()})

    return {"x": by_epoch(for_epoch, 2)}


class Stop(keras.callbacks.Callback):
    """Interrupts training at the beginning of a step."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def on_epoch_begin(self, epoch, logs=None):
        """Keeps the epoch."""
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        """Stops, or not yet."""
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt


def train_with_backup(folder, data, stop_at=None):
    """Runs two epochs, or the rest of them; returns the model and the losses of the epochs."""
    gan = new_gan(BiasCorrectedAdam(1e-3))
    watchers = [BackupAndRestore(folder, save_freq=1, keep=1), Stop(stop_at), LinearDecay()]
    try:
        return gan, gan.fit(**data, epochs=2, verbose=0, callbacks=watchers).history
    except KeyboardInterrupt:
        assert stop_at is not None


def end_of(gan, history):
    """The losses of the epochs and the final state of training."""
    losses = {f"loss/{name}": np.array(values) for name, values in history.items()}
    return losses | state_of(gan)


def from_model(folder):
    """The content of the `.keras` file, its pictures, and its state after an epoch."""
    gan = keras.models.load_model(folder / "gan.keras")
    found = {f"loaded/{name}": value for name, value in state_of(gan).items()}
    found["painted"], found["painted_by_averages"] = paint(gan), paint(gan.averaged())
    return found | end_of(gan, gan.fit(batches(), epochs=1, verbose=0).history)


def from_weights(folder):
    """The pictures from the weights file, and its state after an epoch."""
    gan = new_gan(keras.optimizers.SGD(1e-3))
    gan.load_weights(folder / "gan.weights.h5")
    found = {"painted": paint(gan)}
    return found | end_of(gan, gan.fit(batches(), epochs=1, verbose=0).history)


def from_backup(folder, data):
    """The result of the interrupted run."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder / "backup", copy, dirs_exist_ok=True)
        return end_of(*train_with_backup(copy, data))


WAYS = {
    "model": from_model,
    "weights": from_weights,
    "epochs": lambda folder: from_backup(folder, epochs()),
    "arrays": lambda folder: from_backup(folder, arrays()),
}


def machine():
    """Bits of the operations that steps consist of, without the package."""
    rng = np.random.default_rng(1)
    x = tf.constant(rng.standard_normal((2, 16, 16, 6)), "float32")
    kernel = tf.constant(rng.standard_normal((3, 3, 6, 7)), "float32")
    matrix = tf.constant(rng.standard_normal((7, 40)), "float32")
    with tf.GradientTape() as tape:
        tape.watch([x, kernel, matrix])
        y = keras.ops.conv(x, kernel, strides=2, padding="same")
        y = keras.ops.leaky_relu(y - keras.ops.mean(y, axis=(0, 1, 2)))
        y = y * keras.ops.rsqrt(keras.ops.var(y, axis=(1, 2), keepdims=True) + 1e-5)
        z = keras.ops.tanh(keras.ops.matmul(y, matrix))
        loss = keras.ops.mean(keras.ops.exp(z)) + keras.ops.sum(keras.ops.abs(z)) / 7
    parts = [y, z, loss, *tape.gradient(loss, [x, kernel, matrix])]
    return np.concatenate([np.ravel(part) for part in parts])


if __name__ == "__main__":
    files, way, out = sys.argv[1:]
    np.savez(out, machine=machine(), **WAYS[way](Path(files)))
