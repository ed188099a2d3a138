"""One layer, by patterns or densely, compiled by TensorFlow. Imported by workers only."""

import numpy as np
import tensorflow as tf

from benchmarks.harness.run import Run
from keras_spade.layers import ConditioningMap, LabelPatterns


class LayerRun(Run):
    """Steps that are compiled functions of no arguments, one for each batch of label maps.

    They are compiled, and label maps encoded, before a turn begins.
    """

    def prepare(self, case):
        self.compiled = {}

    def batch(self, index):
        if index not in self.compiled:
            self.compiled[index] = tf.function(self.function(index))
            self.compiled[index]()
        return self.compiled[index]

    def step(self, batch):
        return batch()

    def function(self, index):
        """A function of no arguments, of the batch `index`."""
        raise NotImplementedError


def encoder(modulation, size, num_classes):
    """The layer that encodes label maps: their patterns, or the one-hot map."""
    if modulation == "dense":
        return ConditioningMap(*size, num_classes)
    return LabelPatterns(*size, num_classes, modulation="patterns")


def random(*shape):
    """Normal numbers."""
    return tf.constant(np.random.default_rng(0).normal(size=shape).astype("float32"))
