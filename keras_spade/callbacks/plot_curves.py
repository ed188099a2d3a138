"""Plots of the curves of a run."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from keras_spade.callbacks.epochs_of import epochs_of
from keras_spade.files import replacing


def plot_curves(
    history: keras.callbacks.History | Mapping[str, Sequence[float]] | str | os.PathLike,
    path: str | os.PathLike,
) -> None:
    """Plots every number of a run over its epochs, one chart per number and its validation value.

    Args:
        history: the result of `fit`, or its `history`; or the file of a `keras.callbacks.CSVLogger`
            (if an interruption made an epoch appear twice, the last entry counts).
        path: of the picture; its suffix selects the format: `.png`, `.svg`, `.pdf`.

    Raises:
        ValueError: if there are no numbers, or the file is not one of `CSVLogger`.

    Example:

    >>> import pathlib, tempfile
    >>> from keras_spade.callbacks import plot_curves
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "curves.png"
    >>> plot_curves({"generator/kl": [3.0, 2.0], "val_generator/kl": [3.1, 2.2]}, path)
    >>> path.exists()
    True
    """
    from matplotlib.figure import Figure  # Without `pyplot`, which would select a window system.

    curves = _curves(history)
    names = list(dict.fromkeys(name.removeprefix("val_") for name in curves))
    if not names:
        raise ValueError(f"`history`: no epoch has been logged, got {history!r}.")
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.6 * rows), layout="constrained")
    for place, name in enumerate(names):
        axis = figure.add_subplot(rows, columns, place + 1)
        for logged, label in ((name, "training"), (f"val_{name}", "validation")):
            if logged in curves:
                color = {"training": "tab:blue", "validation": "tab:orange"}[label]
                axis.plot(*curves[logged], label=label, color=color, marker=".", markersize=3)
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("epoch", fontsize=8)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.tick_params(labelsize=8)
        axis.legend(fontsize=7)
    with replacing(path) as partial:
        figure.savefig(partial, dpi=100)


def _curves(history):
    """Maps each name to its epochs, counted from 1, and values."""
    if isinstance(history, (str, os.PathLike)):
        return _from_file(Path(history))
    epochs = None
    if isinstance(history, keras.callbacks.History):
        epochs, history = history.epoch, history.history
    curves = {}
    for name, values in history.items():
        numbers = range(len(values)) if epochs is None else epochs_of(values, epochs)
        curves[name] = [epoch + 1 for epoch in numbers], values
    return curves


def _from_file(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        rows = {int(row.pop("epoch")): row for row in rows}
        curves = {}
        for epoch, row in sorted(rows.items()):
            for name, text in row.items():
                if text not in ("NA", ""):
                    epochs, values = curves.setdefault(name, ([], []))
                    epochs.append(epoch + 1)
                    values.append(float(text))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a keras.callbacks.CSVLogger file: {error}") from None
    return curves
