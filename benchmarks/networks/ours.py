"""Our networks on any backend and device. Imported by workers only."""

import random
import time
from statistics import median

import keras
import numpy as np

from benchmarks.harness.label_maps import pick_batch
from benchmarks.harness.run import Clock, SkippedError
from benchmarks.networks.batch_run import BatchRun
from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder

SEARCHES = 5
POLICIES = {"float32": "float32", "tf32": "float32", "bfloat16": "mixed_bfloat16"}


def make(device, settings, samples, modulation, folded, xla=False, on_device=False, compiled=False):
    """Makes the `Run` of ours.

    Inference: a network in inference mode, compiled by `tf.function` or `jax.jit`, or eager on
    PyTorch; with `folded` after `generator.fold_spectral_norm()`. Forward and backward: the
    gradients, for all weights, of the mean square of its output in training mode. Training
    step: one of `GauGAN.fit`, with encoder if there is a latent, without perceptual loss. With
    `xla`, TensorFlow compiles it with XLA. On JAX with a GPU, the host searches label patterns: in
    training within the step, otherwise before it, and the note says how long that took. With
    `on_device`, the compiled step searches. With `compiled`, PyTorch compiles a network.
    """
    if folded and (settings.task != "inference" or settings.network != "generator"):
        raise SkippedError("spectral norm is folded for the generator's inference only")
    if xla and settings.task != "training_step":
        raise SkippedError("XLA compiles the training step only")
    if compiled and settings.task == "training_step":
        raise SkippedError("torch.compile compiles networks only")
    # Keras draws the seeds of weights from `random`. (Its `set_random_seed` imports TensorFlow.)
    random.seed(0)
    keras.config.set_dtype_policy(POLICIES[settings.precision])
    conditioning = {
        "num_classes": settings.num_classes,
        "image_shape": (settings.height, settings.width, 3),
        "void_class": settings.void_class,
        "instance_edges": settings.instance_edges,
        "modulation": modulation,
        "base_filters": settings.base_filters,
    }
    if settings.task == "training_step":
        return FitRun(device, settings, samples, conditioning, xla, on_device)
    if settings.network == "generator":
        network = make_generator(settings, conditioning)
        network = network.fold_spectral_norm() if folded else network
    else:
        network = MultiScaleDiscriminator(**conditioning)
    return NetworkRun(device, settings, samples, network, on_device, compiled)


def make_generator(settings, conditioning):
    """The generator."""
    sizes = {"latent_dim": settings.latent_dim, "hidden_filters": settings.hidden_filters}
    return SPADEGenerator(**conditioning, **sizes)


def mean_square(outputs):
    """The mean square of an image, or the sum over all features."""
    return sum(keras.ops.mean(keras.ops.square(x)) for x in keras.tree.flatten(outputs))


class NetworkRun(BatchRun):
    """Inference, or forward and backward, of one network."""

    def __init__(self, device, settings, samples, network, on_device, compiled):
        super().__init__(device, settings, samples)
        self.versions = {"keras": keras.__version__}
        self.network, self.on_device = network, on_device
        if self.found(pick_batch(samples, 0, 1)):
            seconds = []
            for index in range(SEARCHES):
                start = time.perf_counter()
                self.found(pick_batch(samples, index, 1))
                seconds.append(time.perf_counter() - start)
            self.note = f"the host searches a label map in {1000 * median(seconds):.1f} ms"
        self.names = list(network.input)
        make_step = {"tensorflow": tensorflow_step, "jax": jax_step, "torch": torch_step}
        self.step = make_step[keras.config.backend()](network, settings.task != "inference")
        if compiled:
            import torch

            self.step = torch.compile(self.step)

    def place(self, batch):
        latent = np.zeros((self.samples, self.settings.latent_dim or 0), "float32")
        placed = {name: self.device.put((batch | {"latent": latent})[name]) for name in self.names}
        return placed | keras.tree.map_structure(self.device.put, self.found(batch))

    def found(self, batch):
        """The input `"patterns"`, if the host searches."""
        if self.on_device or not hasattr(self.network, "with_patterns"):  # An older commit.
            return {}
        found = self.network.with_patterns(batch).get("patterns")
        return {"patterns": found} if found else {}


def tensorflow_step(network, backward):
    """A step of a network, compiled by `tf.function`."""
    import tensorflow as tf

    @tf.function
    def gradients(batch):
        with tf.GradientTape() as tape:
            loss = mean_square(network(batch, training=True))
        return tape.gradient(loss, network.trainable_variables)

    return gradients if backward else tf.function(lambda batch: network(batch, training=False))


def jax_step(network, backward):
    """The same, compiled by `jax.jit`; weights are arguments."""
    import jax

    groups = (network.trainable_variables, network.non_trainable_variables)
    weights = [[variable.value for variable in group] for group in groups]

    def forward(*args):
        return network.stateless_call(*args, training=backward)[0]

    step = jax.jit(jax.grad(lambda *args: mean_square(forward(*args))) if backward else forward)
    return lambda batch: step(*weights, batch)


def torch_step(network, backward):
    """The same, eager."""
    import torch

    def gradients(batch):
        network.zero_grad()
        mean_square(network(batch, training=True)).backward()

    def forward(batch):
        with torch.inference_mode():
            return network(batch, training=False)

    return gradients if backward else forward


class FitRun(BatchRun):
    """Training: a turn is a short `fit` in which every step is timed."""

    def __init__(self, device, settings, samples, conditioning, xla, on_device):
        super().__init__(device, settings, samples)
        self.versions = {"keras": keras.__version__}
        encoder = None
        if settings.latent_dim is not None:
            sizes = (settings.latent_dim, settings.base_filters)
            encoder = StyleEncoder(conditioning["image_shape"], *sizes, resize_to=None)
        generator = make_generator(settings, conditioning)
        self.gan = GauGAN(generator, MultiScaleDiscriminator(**conditioning), encoder, seed=0)
        self.gan.compile(perceptual_loss=None, jit_compile=xla or "auto")
        if on_device:
            self.gan.generator.with_patterns = lambda given, *others: given

    def prepare(self, case):
        super().prepare(case)
        self.gan.make_train_function(force=True)  # A function that depends on the batch size.

    def place(self, batch):
        return batch

    def turn(self, index, steps):
        clock = Clock(self.device)
        before, batch = self.batch(index - 1), self.batch(index)
        data = [before, *[batch] * steps]
        # JAX on a GPU: the step before these compiles what the batch needs, and during each of them
        # the host prepares another batch.
        ahead = steps > 0 and keras.config.backend() == "jax" and self.device.kind == "gpu"
        if ahead:
            data = [batch, *data, batch]
        self.gan.fit(as_data(data), verbose=0, callbacks=[StepClock(clock)])
        if ahead:
            clock.seconds, clock.processor = clock.seconds[1:-1], clock.processor[1:-1]
        return clock


def as_data(batches):
    """Batches in the form for the backend's `fit`."""
    if keras.config.backend() != "tensorflow":
        return ((batch,) for batch in batches)
    import tensorflow as tf

    # The first batch, then another one repeatedly.
    data = tf.data.Dataset.from_tensors(batches[0])
    return data.concatenate(tf.data.Dataset.from_tensors(batches[-1]).repeat(len(batches) - 1))


class StepClock(keras.callbacks.Callback):
    """Times every step of a training with a `Clock`."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def on_train_batch_begin(self, batch, logs=None):
        self.clock.start()

    def on_train_batch_end(self, batch, logs=None):
        self.clock.stop(logs)
