"""Single layers, with patterns or densely, compiled by TensorFlow. Imported by workers only."""

import numpy as np
import tensorflow as tf

from benchmarks.harness.label_maps import pick_batch
from benchmarks.harness.run import Run
from benchmarks.patterns.cost_model import multiply_adds, spades
from benchmarks.patterns.crossover import tiles
from keras_spade.layers import SPADE, ConditioningMap, LabelPatterns, SPADEResBlock


def make(device, settings, samples, modulation=None, part=None):
    """Makes the `Run` of a SPADE with a modulation (for the crossover), or of a part of a block."""
    if part is None:
        return SpadeRun(device, settings, modulation)
    return PartRun(device, settings, samples, part)


class LayerRun(Run):
    """Steps that are compiled functions without arguments, one for each batch of label maps.

    They are compiled, and label maps encoded, before a turn starts.
    """

    def prepare(self, case):
        self.case = case
        self.compiled = {}

    def batch(self, index):
        if index not in self.compiled:
            self.compiled[index] = tf.function(self.function(index))
            self.compiled[index]()
        return self.compiled[index]

    def step(self, batch):
        return batch()

    def function(self, index):
        """A function without arguments for the batch `index`."""
        raise NotImplementedError


def encoder(modulation, size, num_classes):
    """The layer that encodes label maps: their patterns, or the one-hot map."""
    if modulation == "dense":
        return ConditioningMap(*size, num_classes)
    return LabelPatterns(*size, num_classes, modulation="patterns")


def random(*shape):
    """Normal numbers."""
    return tf.constant(np.random.default_rng(0).normal(size=shape).astype("float32"))


class SpadeRun(LayerRun):
    """A SPADE in training, forward or with `backward` the gradients too; one label map."""

    def __init__(self, device, backward, modulation):
        super().__init__(device)
        self.backward, self.modulation = backward, modulation

    def batch(self, index):
        return super().batch(0)

    def function(self, index):
        size, num_classes = self.case["map"], self.case["classes"]
        labels = tiles(size, self.case["tile"], num_classes)
        segmap = encoder(self.modulation, (size, size), num_classes)(labels)
        layer = SPADE(norm="instance", num_classes=num_classes)
        x = random(1, size, size, self.case["channels"])
        layer(x, segmap)  # Builds it.

        def gradients():
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(layer(x, segmap, training=True) ** 2)
            return tape.gradient(loss, [x, *layer.trainable_variables])

        return gradients if self.backward else lambda: layer(x, segmap, training=True)


class PartRun(LayerRun):
    """A part of a block in inference."""

    def __init__(self, device, settings, samples, part):
        super().__init__(device)
        self.settings, self.all_samples, self.part = settings, samples, part

    def prepare(self, case):
        super().prepare(case)
        self.samples = self.settings.batch_size
        self.flops = 2 * multiply_adds(case, self.settings)[self.part]
        self.size = (case["rows"], case["columns"])
        modulation = "dense" if self.part == "dense" else "patterns"
        self.encoder = encoder(modulation, self.size, self.settings.num_classes)
        self.x = random(self.samples, *self.size, case["inputs"])
        self.block = SPADEResBlock(case["outputs"], spectral_norm=False)

    def function(self, index):
        batch = pick_batch(self.all_samples, index, self.samples)
        maps = batch["labels"], batch.get("edges")
        if self.part == "pattern search":
            labels = tf.Variable(maps[0])  # A constant would be searched at compile time.
            return lambda: tf.nest.flatten(self.encoder(labels, maps[1]))
        if self.part == "products of rows":
            return self.products()
        segmap = self.encoder(*maps)
        self.block(self.x, segmap)  # Builds it.
        if self.part == "convolutions":
            return self.convolutions()
        return lambda: self.block(self.x, segmap)

    def products(self):
        """A function that makes the products of the rows of all SPADEs."""
        rows = round(self.case["P2 / N"] * self.samples * np.prod(self.size))
        inner = 9 * self.settings.hidden_filters
        pairs = [(random(rows, inner), random(inner, 2 * c)) for c in spades(self.case)]
        return lambda: [tf.matmul(a, b) for a, b in pairs]

    def convolutions(self):
        """A function that makes the block's own convolutions."""
        y = random(self.samples, *self.size, min(self.case["inputs"], self.case["outputs"]))
        convolutions = [(self.block.conv_0, self.x), (self.block.conv_1, y)]
        if self.block.learned_shortcut:
            convolutions.append((self.block.conv_s, self.x))
        return lambda: [conv(x) for conv, x in convolutions]
