"""Our networks on any backend and device. Imported by workers only."""

import time

import keras
import numpy as np
from _device_runs import Run
from _our_networks import make_gan, make_generator

POLICIES = {"float32": "float32", "tf32": "float32", "bfloat16": "mixed_bfloat16"}


def make(settings, device, pick, modulation):
    """The `Run` of ours.

    Inference: the generator in inference mode, compiled by `tf.function` or `jax.jit`, or eager on
    PyTorch. Training step: a step of `GauGAN.fit`.

    Args:
        settings: a `DeviceSettings`.
        device: the `Device` of Keras' backend.
        pick: a function of a batch size that returns batches of NumPy arrays.
        modulation: of all networks.
    """
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(POLICIES[settings.precision])
    device.versions["keras"] = keras.__version__
    generator = make_generator(settings, modulation)
    if settings.task == "training_step":
        return FitRun(make_gan(generator, settings, modulation), device, pick)
    names = list(generator.input)

    def batches(batch_size):
        latent = {"latent": np.zeros((batch_size, settings.latent_dim or 0), "float32")}
        arrays = [batch | latent for batch in pick(batch_size)]
        return [{name: device.put(batch[name]) for name in names} for batch in arrays]

    return Run(device, batches, _paint(generator))


def _paint(generator):
    """The generator in inference mode, a function of its inputs."""
    if keras.backend.backend() == "jax":
        import jax

        stateless = jax.jit(lambda *args: generator.stateless_call(*args, training=False)[0])
        trainable = [variable.value for variable in generator.trainable_variables]
        others = [variable.value for variable in generator.non_trainable_variables]
        return lambda inputs: stateless(trainable, others, inputs)
    if keras.backend.backend() == "torch":
        import torch

        def paint(inputs):
            with torch.inference_mode():
                return generator(inputs, training=False)

        return paint
    import tensorflow as tf

    return tf.function(lambda inputs: generator(inputs, training=False))


class FitRun(Run):
    """Training: a turn is a short `fit`, in which every step is timed."""

    def __init__(self, gan, device, pick):
        super().__init__(device, pick, step=None)
        self.gan = gan

    def prepare(self, batch_size):
        super().prepare(batch_size)
        self.gan.make_train_function(force=True)  # One that knows the size of the batch.

    def turn(self, steps):
        clock = Clock(self.device)
        self.gan.fit(self._data(steps + 1), verbose=0, callbacks=[clock])
        return clock.seconds

    def _data(self, steps):
        """So many batches, as the backend's `fit` takes them."""
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            arrays = {name: [b[name] for b in self.batches] for name in self.batches[0]}
            return tf.data.Dataset.from_tensor_slices(arrays).repeat().take(steps)

        def generate():
            for index in range(steps):
                yield (self.batches[index % len(self.batches)],)

        return generate()


class Clock(keras.callbacks.Callback):
    """Times every step of a training until it is complete."""

    def __init__(self, device):
        super().__init__()
        self.device = device
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.device.wait(logs)
        self.seconds.append(time.perf_counter() - self.start)
