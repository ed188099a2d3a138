"""The averages that `GauGAN` logs."""

import keras
from keras import ops


class LossAverage(keras.metrics.Mean):
    """A mean that is not a number if it is of nothing, where Keras' is 0.

    So that an epoch in which every step was skipped is not the best of all.
    """

    def result(self):
        """The mean."""
        return ops.where(self.count > 0, super().result(), float("nan"))
