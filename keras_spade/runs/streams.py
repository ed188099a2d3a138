"""Training batches as one stream that can start anywhere in the training."""

import dataclasses
import itertools
import math
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_spade.backends import backend
from keras_spade.callbacks import BackupAndRestore
from keras_spade.compiled_gan import CompiledGan
from keras_spade.datasets.by_epoch import one_epoch
from keras_spade.datasets.epoch_dataset import EpochDataset
from keras_spade.runs.fit_data import FitData


def is_tf_dataset(data: Any) -> bool:
    """Whether data are a `tf.data.Dataset`, checked without importing TensorFlow."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(data, tensorflow.data.Dataset)


def training_data(
    model: CompiledGan,
    data: FitData,
    place: tuple[int, int],
    epochs: int,
    backup: BackupAndRestore | None,
) -> FitData:
    """Returns the data arguments of `fit` so that they start at a given position.

    Args:
        model: a `GauGAN`.
        data: a `FitData`.
        place: `(epoch, step)` to start at.
        epochs: the epoch before which training ends.
        backup: a `BackupAndRestore`, or `None`.

    Returns:
        A `FitData`. If Keras' loop reads a batch for each earlier step, unused batches are
        prepended.
    """
    backend.check_batches(data.x, data.batch_size, data.steps_per_epoch)
    if isinstance(data.x, EpochDataset):
        return stream_of_epochs(model, data, place, epochs, backup)
    if not (backend.ARRAYS_STREAM_AS_DATASETS or is_tf_dataset(data.x)):
        return data if backup is None else stream_of_arrays(model, data, place, epochs, backup)
    from keras_spade.runs.tensorflow_streams import training_stream, with_empty_batches

    stream = training_stream(model, data, place, epochs, backup)
    if stream is not None and backend.READS_BATCHES_OF_PAST_STEPS:
        empty = with_empty_batches(stream.x, place[1], backend.smallest_batch())
        stream = dataclasses.replace(stream, x=empty)
    data = stream or data
    return dataclasses.replace(data, x=backend.shared_by_workers(model, data.x))


def evaluation_data(model: CompiledGan, data: Any, steps: int | None = None) -> Any:
    """Returns data for evaluation; a dataset yields the same batches each time.

    Args:
        model: a `GauGAN`.
        data: as in `evaluate`.
        steps: the batches that are used of it; `None`: all.

    Returns:
        The data.
    """
    if is_tf_dataset(data):
        backend.check_batches(data)
    return backend.shared_by_workers(model, one_epoch(data, steps))


def check_steps(
    model: CompiledGan, steps: int, place: tuple[int, int], backup: BackupAndRestore
) -> None:
    """Raises unless a training with epochs of `steps` steps can resume at `place`.

    Args:
        model: a `GauGAN`.
        steps: of an epoch.
        place: `(epoch, step)` to start at.
        backup: a `BackupAndRestore`.
    """
    if steps % model.steps_per_execution or place[1] % model.steps_per_execution:
        raise ValueError(
            f"`steps_per_execution` must divide the steps of an epoch, {steps}, and the steps made "
            f"before the backup, {place[1]}; got {model.steps_per_execution}."
        )
    if place[1] and steps != backup.restored.steps_per_epoch:
        raise ValueError(
            f"The backup in {backup.directory} was made in the middle of an epoch of "
            f"{backup.restored.steps_per_epoch} steps; now an epoch has {steps}. Train with the "
            "same data, batch size and `steps_per_epoch`, or move the backup away."
        )


def check_arrays(data: FitData, convert: Callable) -> tuple[tuple, int]:
    """Returns the arrays of `fit` as one structure, and their number of samples.

    Args:
        data: a `FitData`.
        convert: converts an array to a tensor or array; fails for anything else.
    """
    if data.shuffle not in (True, False):
        raise ValueError(
            f"`shuffle` must be True or False with BackupAndRestore, got {data.shuffle!r}."
        )
    arrays = (data.x,) if data.y is None else (data.x, data.y)

    def converted(array):
        # Nor is a `PyDataset`, which NumPy would read to its end.
        if not hasattr(array, "shape") and not isinstance(array, (int, float)):
            raise TypeError
        return convert(array)

    try:
        arrays = keras.tree.map_structure(converted, arrays)
    except (TypeError, ValueError):
        raise ValueError(
            "`x`: with BackupAndRestore it must be arrays, a `tf.data.Dataset` or a dataset of "
            "`keras_spade.datasets`, which can resume in the middle of an epoch; got "
            f"{type(data.x).__name__}."
        ) from None
    sizes = {int(array.shape[0]) for array in keras.tree.flatten(arrays)}
    if len(sizes) != 1:
        raise ValueError(f"`x` and `y` must have the same number of samples, got {sorted(sizes)}.")
    return arrays, sizes.pop()


def stream_of_epochs(
    model: CompiledGan,
    data: FitData,
    place: tuple[int, int],
    epochs: int,
    backup: BackupAndRestore | None,
) -> FitData:
    """Returns the data that `fit` passes to Keras instead of an `EpochDataset`.

    Args:
        model: a `GauGAN`.
        data: a `FitData`.
        place: `(epoch, step)` to start at.
        epochs: the epoch before which training ends.
        backup: a `BackupAndRestore`, or `None`.
    """
    count = len(data.x)
    steps = data.steps_per_epoch or count
    if backup is not None:
        check_steps(model, steps, place, backup)
    elif steps % model.steps_per_execution:
        # Keras ends an epoch once before it starts the first.
        epochs_on = EpochDataset(data.x.source, data.x.workers, first_pass=place[0] - 1)
        return dataclasses.replace(data, x=epochs_on, shuffle=False)
    first = place[0] * steps + place[1]
    last = max(first + 1, epochs * steps)  # Keras looks at a batch, even where no step is left.
    passed = place[1] if backend.READS_BATCHES_OF_PAST_STEPS else 0

    def stream():
        batches = data.x.stream(divmod(number, count) for number in range(first, last))
        begin = itertools.repeat((next(batches),), passed + 1)
        yield from itertools.chain(begin, zip(batches))

    return dataclasses.replace(data, x=stream(), shuffle=False, steps_per_epoch=steps)


def stream_of_arrays(
    model: CompiledGan,
    data: FitData,
    place: tuple[int, int],
    epochs: int,
    backup: BackupAndRestore,
) -> FitData:
    """Returns the data that `fit` passes to Keras instead of its arrays, without TensorFlow.

    The order of an epoch's samples is a function of the model's seed and the number of the epoch.

    Args:
        model: a `GauGAN`.
        data: a `FitData`.
        place: `(epoch, step)` to start at.
        epochs: the epoch before which training ends.
        backup: a `BackupAndRestore`.

    Returns:
        A `FitData`, with placeholders instead of the batches of earlier steps.
    """
    arrays, size = check_arrays(data, _array)
    batch_size = data.batch_size or 32
    count = math.ceil(size / batch_size)
    steps = data.steps_per_epoch or count
    check_steps(model, steps, place, backup)

    def batch(number):
        epoch, step = divmod(number, count)
        order = np.arange(size)
        if data.shuffle:
            order = np.random.default_rng([model.seed or 0, epoch]).permutation(size)
        picked = order[step * batch_size : (step + 1) * batch_size]
        return keras.tree.map_structure(lambda array: array[picked], arrays)

    first = place[0] * steps + place[1]
    numbers = [first] * place[1] + list(range(first, epochs * steps))
    stream = (batch(number) for number in numbers or [first])
    return dataclasses.replace(
        data, x=stream, y=None, batch_size=None, shuffle=False, steps_per_epoch=steps
    )


def _array(x):
    array = x if isinstance(x, np.ndarray) else keras.ops.convert_to_numpy(x)
    if array.dtype == object or array.ndim == 0:
        raise TypeError
    return array
