"""Painting with the averages of the weights."""

import contextlib

import keras
import numpy as np


@contextlib.contextmanager
def painting_averages(self):
    """A context in which the model uses the averages of its weights, if there are any.

    They include the moving statistics computed by `calibrate`, as in `averaged()`, if no
    step was made since. Use it to paint during training: unlike `averaged`, it builds no second
    model, so nothing is traced or compiled again. The weights are copied to the host until the
    context ends, and then restored bit for bit.
    """
    averages = {} if self._averaging_optimizer() is None else averages_by_place(self)
    weights = self.weights
    before = {place: np.array(keras.ops.convert_to_numpy(weights[place])) for place in averages}
    try:
        assign_by_place(weights, averages)
        yield
    finally:
        assign_by_place(weights, before)


def writes_averages(gan, averaged) -> bool:
    """Whether `export` and `save_to_preset` write the averages.

    Args:
        gan: a `GauGAN`.
        averaged: the argument of the two.

    Raises:
        ValueError: for other values; for `"auto"` if a file held averages that were not loaded.
    """
    if averaged not in (True, False, "auto"):
        raise ValueError(f"`averaged` must be True, False or 'auto', got {averaged!r}.")
    if averaged == "auto" and gan.loaded_averages and not gan.compiled:
        raise ValueError(
            "`averaged`: the file of this model holds averages of its weights, which are loaded "
            "with its optimizers only. Load it with `keras.saving.load_model(path)`, without "
            "`compile=False`, or with `gan, _ = keras_spade.painting.load_gan(path)`; or pass "
            "`averaged=False` to write the weights without averaging."
        )
    return gan._averaging_optimizer() is not None if averaged == "auto" else averaged


def averages_by_place(gan) -> dict:
    """The variables or arrays that differ in the averages of a GAN, by position in its weights.

    Args:
        gan: a `GauGAN` whose generator's optimizer keeps averages.
    """
    optimizer, values = gan._averaging_optimizer(), {}
    if gan._steps_made() and not gan.is_swapped:
        places = {id(weight): place for place, weight in enumerate(gan.weights)}
        pairs = zip(
            optimizer._trainable_variables, optimizer._model_variables_moving_average, strict=True
        )
        values = {places[id(variable)]: average for variable, average in pairs}
    calibrated = gan.statistics_of_averages
    if calibrated is not None and calibrated.step == gan._steps_made():
        values |= calibrated.values
    return values


def assign_by_place(weights, values: dict):
    """Assigns the result of `averages_by_place` to the weights of a GAN of the same kind."""
    for place, value in values.items():
        weights[place].assign(keras.ops.convert_to_numpy(value))
