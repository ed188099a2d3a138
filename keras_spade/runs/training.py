"""The context of a training: its start, its data and the code around its steps."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from keras_spade.backends import backend
from keras_spade.compiled_gan import CompiledGan
from keras_spade.datasets.source import source_or_none
from keras_spade.runs.best_values import BestValues
from keras_spade.runs.fit_data import FitData
from keras_spade.runs.monitors import check_monitors
from keras_spade.runs.past_steps import PastSteps
from keras_spade.runs.resuming import (
    KeepsWeights,
    begin_with_weights,
    end_with_averages,
    split_callbacks,
    swapping,
    with_own_averages,
)
from keras_spade.runs.skipped_steps import StopOnSkippedSteps
from keras_spade.runs.streams import evaluation_data, is_tf_dataset, training_data


@contextlib.contextmanager
def training(
    model: CompiledGan,
    *,
    callbacks: Any,
    initial_epoch: int,
    epochs: int,
    verbose: str | int,
    validation_data: Any,
    validation_split: float,
    validation_steps: int | None,
    **others: Any,
) -> Iterator[dict[str, Any]]:
    """The context of `GauGAN.fit`.

    Args:
        model: a compiled `GauGAN`.
        callbacks: as in `fit`.
        initial_epoch: as in `fit`.
        epochs: as in `fit`.
        verbose: as in `fit`.
        validation_data: as in `fit`.
        validation_split: as in `fit`.
        validation_steps: as in `fit`.
        **others: the other arguments of `fit`, among them those of `FitData`.

    Yields:
        The arguments with which Keras' own `fit` makes the training.
    """
    callbacks, backup = split_callbacks(callbacks)
    validates = validation_data is not None or bool(validation_split)
    losses = [tracker.name for tracker in model.loss_trackers]
    averages = model.keeps_averages
    check_monitors(callbacks, losses, validates, averages)
    data = FitData(**{f.name: others.pop(f.name) for f in dataclasses.fields(FitData)})
    _check_shuffle(data)
    if is_tf_dataset(data.x):
        data = dataclasses.replace(data, shuffle=False)  # The dataset does its own shuffling.
    if backup is not None and validation_split:
        raise ValueError(
            "`validation_split` cannot be used with BackupAndRestore; pass the samples as "
            "`validation_data`."
        )
    with backend.losing_no_worker(model, _advice(backup)):
        epoch, step = _begin(model, backup, initial_epoch)
        restored = None if backup is None else backup.restored
        if restored:
            best_values = BestValues(callbacks, restored.epochs, restored.history)
            epochs = epoch if best_values.ended else epochs
        if restored and verbose:
            print(
                f"Resuming from {backup.directory}: epoch {epoch + 1}, step {step + 1}."
                if epoch < epochs
                else f"The training in {backup.directory} has already ended, after epoch {epoch}."
            )
        if verbose and epoch < epochs:
            _tell_of_the_first_step(model)
        data = training_data(model, data, (epoch, step), epochs, backup)
        validation_data = evaluation_data(model, validation_data, validation_steps)
        watch = StopOnSkippedSteps(model.skipped_steps, model.max_skipped_steps, bool(restored))
        callbacks = [*with_own_averages(callbacks), watch]
        swaps = swapping(callbacks)
        model.swaps, model.loaded_swapped = tuple(swaps), False
        if backup is not None:
            if restored:
                begin_with_weights(callbacks)
                callbacks.append(best_values)
            callbacks = [*([KeepsWeights(backup)] if swaps else []), *callbacks, backup]
        with _without_past_steps(model, step, backup):
            yield {
                **others,
                **vars(data),
                "callbacks": callbacks,
                "initial_epoch": epoch,
                "epochs": epochs,
                "verbose": verbose,
                "validation_data": validation_data,
                "validation_split": validation_split,
                "validation_steps": validation_steps,
            }
        end_with_averages(model, swaps)
        model.swaps = ()


def _check_shuffle(data: FitData) -> None:
    """Raises for `shuffle=False` with a dataset of the package that shuffles."""
    source = source_or_none(data.x)
    if not data.shuffle and source and source.call and source.call.arguments.get("shuffle"):
        raise ValueError(
            "`shuffle=False` is for arrays; the dataset shuffles itself. Pass `shuffle=False` to "
            "the function that makes the dataset."
        )


def _tell_of_the_first_step(model: CompiledGan):
    """Reports once why the first step takes longer; with several workers, only on the first."""
    happens = backend.FIRST_STEP == "traced" or (backend.FIRST_STEP and model.jit_compile)
    if happens and not model.run_eagerly and model.train_function is None and model.writes_files:
        print(
            f"The first step is {backend.FIRST_STEP}, which takes seconds to minutes; those "
            "after it are fast.",
            flush=True,
        )


def _advice(backup):
    """Describes what happens when all workers are restarted."""
    if backup is None:
        return "training starts over, because there is no `callbacks.BackupAndRestore`"
    return f"training resumes from the last backup in {backup.directory}"


def _begin(model: CompiledGan, backup, initial_epoch):
    """Restores a backup on all workers; returns the epoch and step where training begins."""
    check = backend.place_check(model)
    if backup is not None:
        return backup.restore(model, initial_epoch, check)
    if check is not None:
        check((initial_epoch, 0), 0)
    return initial_epoch, 0


@contextlib.contextmanager
def _without_past_steps(model: CompiledGan, steps, backup):
    """Wraps the train function while it would repeat earlier steps."""
    model.make_train_function()
    train_function = model.train_function
    if steps:
        model.train_function = PastSteps(model, train_function, steps, backup.restore_metrics)
    try:
        yield
    finally:
        model.train_function = train_function
