"""The averages of the weights in the model itself, for as long as something is painted."""

import contextlib

import keras
import numpy as np


@contextlib.contextmanager
def painting_averages(self):
    """A context in which the averages of the weights, if there are any, are in the model.

    For painting while it trains: nothing is copied, traced or compiled again, as `averaged` does
    it. After it, the weights are what they were, to the bit.
    """
    optimizer = self._averaging_optimizer()
    made = 0 if optimizer is None else int(keras.ops.convert_to_numpy(optimizer.iterations))
    variables, averages = [], []
    if made and not self.is_swapped:
        variables = optimizer._trainable_variables
        averages = optimizer._model_variables_moving_average
    weights = [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
    try:
        for variable, average in zip(variables, averages, strict=True):
            variable.assign(keras.ops.convert_to_numpy(average))
        yield
    finally:
        for variable, weight in zip(variables, weights, strict=True):
            variable.assign(weight)
