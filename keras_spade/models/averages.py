"""The averages of the weights: which variables they are, and models that use them."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_spade.models.statistics_of_averages import StatisticsOfAverages

if TYPE_CHECKING:
    from keras_spade.models.gaugan import GauGAN


@contextlib.contextmanager
def painting_averages(gan: "GauGAN") -> Iterator[None]:
    """A context in which a `GauGAN` uses the averages of its weights, if there are any."""
    averages = averages_by_place(gan) if gan.keeps_averages else {}
    weights = gan.weights
    before = {place: np.array(keras.ops.convert_to_numpy(weights[place])) for place in averages}
    try:
        assign_by_place(weights, averages)
        yield
    finally:
        assign_by_place(weights, before)


def averages_by_place(gan: "GauGAN") -> dict:
    """The variables or arrays that differ in the averages of a GAN, by position in its weights.

    Args:
        gan: a `GauGAN` whose generator's optimizer keeps averages.
    """
    optimizer, values = gan.optimizer.optimizers[0], {}
    if steps_made(gan) and not gan.is_swapped:
        pairs = zip(
            optimizer._trainable_variables, optimizer._model_variables_moving_average, strict=True
        )
        values = by_place(gan, pairs)
    calibrated = gan.statistics_of_averages
    if calibrated is not None and calibrated.step == steps_made(gan):
        values |= calibrated.values
    return values


def statistics_of_averages(
    gan: "GauGAN", averages: "GauGAN", statistics: list
) -> StatisticsOfAverages:
    """The statistics of the result of `averaged`, which hold until the next step.

    Args:
        gan: a `GauGAN`.
        averages: the result of its `averaged`.
        statistics: pairs of variables of `averages` and their values.
    """
    return StatisticsOfAverages(steps_made(gan), by_place(averages, statistics))


def with_weights_for_files(gan: "GauGAN", averaged: bool | str) -> "GauGAN":
    """The GAN, or the result of its `averaged`.

    Args:
        gan: a `GauGAN`.
        averaged: as in `export`.

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
    if averaged == "auto":
        averaged = gan.keeps_averages
    return gan.averaged() if averaged else gan


def assign_by_place(weights: Sequence[keras.Variable], values: dict) -> None:
    """Assigns the result of `averages_by_place` to the weights of a GAN of the same kind."""
    for place, value in values.items():
        weights[place].assign(keras.ops.convert_to_numpy(value))


def by_place(gan: "GauGAN", pairs: Iterable[tuple]) -> dict:
    """The values of pairs of variables and values, by position in the weights of their GAN."""
    places = {id(weight): place for place, weight in enumerate(gan.weights)}
    return {places[id(variable)]: value for variable, value in pairs}


def steps_made(gan: "GauGAN") -> int:
    """The number of training steps made."""
    return int(keras.ops.convert_to_numpy(gan.optimizer.optimizers[0].iterations))
