"""TensorFlow datasets as one stream that can start anywhere in the training."""

import math
from dataclasses import replace

import keras
import tensorflow as tf

from keras_spade.callbacks import BackupAndRestore
from keras_spade.compiled_gan import CompiledGan
from keras_spade.datasets.by_epoch import by_epoch, epoch_order
from keras_spade.datasets.source import source_or_none
from keras_spade.runs.fit_data import FitData
from keras_spade.runs.streams import check_arrays, check_steps


def training_stream(
    model: CompiledGan,
    data: FitData,
    place: tuple[int, int],
    epochs: int,
    backup: BackupAndRestore | None,
) -> FitData | None:
    """Returns the data that `fit` passes to Keras, if its data can start at a position.

    Args:
        model: a `GauGAN`.
        data: a `FitData`.
        place: `(epoch, step)` to start at.
        epochs: the epoch before which training ends.
        backup: a `BackupAndRestore`, or `None`.

    Returns:
        A `FitData`; `None` if Keras can use the data unchanged.

    Raises:
        ValueError: if the data cannot start at a position, and there is a backup.
    """
    dataset = data.x
    if backup is None and not _has_places(dataset, data.steps_per_epoch):
        return None
    if not isinstance(dataset, tf.data.Dataset):
        dataset = _dataset_of_arrays(data, seed=model.seed or 0)
        data = replace(data, y=None, batch_size=None)
    origin = place[0] if backup is None else backup.first_epoch
    stream, steps = stream_from(dataset, place, origin, epochs, data.steps_per_epoch)
    if backup is not None:
        check_steps(model, steps, place, backup)
    elif steps % model.steps_per_execution:
        return None
    return replace(data, x=stream, shuffle=False, steps_per_epoch=steps)


def stream_from(
    dataset: tf.data.Dataset,
    place: tuple[int, int],
    origin: int,
    epochs: int,
    steps_per_epoch: int | None,
) -> tuple[tf.data.Dataset, int]:
    """Returns the batches of a training from a position in it to its end.

    Epochs of a `by_epoch` dataset are requested by number. For any other dataset, the same number
    of passes is started as the training had started before `place`: an identical dataset that
    shuffles with a seed then continues in the same order.

    Args:
        dataset: a `tf.data.Dataset`.
        place: `(epoch, step)` to start at.
        origin: the first epoch of the training.
        epochs: the epoch before which it ends.
        steps_per_epoch: as in `fit`; `None`: the batches of the dataset.

    Returns:
        The stream, and the number of steps per epoch.

    Raises:
        ValueError: if the number of batches is not known.
    """
    count = int(dataset.cardinality())
    if count != 0 and not _has_places(dataset, steps_per_epoch):
        raise ValueError(
            "`x`: the number of batches of the dataset is unknown, so an interrupted epoch could "
            "not resume at the right position. Append "
            "`.apply(tf.data.experimental.assert_cardinality(number_of_batches))`"
            + (", or pass `steps_per_epoch`." if count == tf.data.INFINITE_CARDINALITY else ".")
        )
    if count == 0:
        raise ValueError("`x`: the dataset is empty.")
    steps = steps_per_epoch or count
    done, total = place[0] * steps + place[1], epochs * steps
    if count == tf.data.INFINITE_CARDINALITY:
        return dataset.skip(done - origin * steps), steps
    first, skipped = divmod(done, count)
    source = source_or_none(dataset)
    for_epoch = source and source.for_epoch
    if source is None:
        for_epoch = lambda number, first_batch: dataset.skip(first_batch)  # noqa: E731
        for _ in range(first - origin * steps // count):
            next(iter(dataset))
    numbers = tf.data.Dataset.range(first, max(first, math.ceil(total / count)))
    stream = numbers.flat_map(
        lambda number: for_epoch(
            number, tf.where(number == first, tf.constant(skipped, tf.int64), 0)
        )
    )
    # Reading of the next epoch starts while the last batches of this one train.
    return stream.prefetch(tf.data.AUTOTUNE).with_options(dataset.options()), steps


def with_empty_batches(stream: tf.data.Dataset, count: int, samples: int = 1) -> tf.data.Dataset:
    """Prepends placeholder batches, of `samples` samples if the batch size is unknown."""
    if not count:
        return stream
    empty = keras.tree.map_structure(
        lambda spec: tf.zeros(
            [spec.shape[0] or samples, *(n or 1 for n in spec.shape[1:])], spec.dtype
        ),
        stream.element_spec,
    )
    return tf.data.Dataset.from_tensors(empty).repeat(count).concatenate(stream)


def _has_places(dataset, steps_per_epoch):
    """Whether the batch after a given number of steps is known."""
    if not isinstance(dataset, tf.data.Dataset):
        return False
    count = int(dataset.cardinality())
    return count > 0 or (count == tf.data.INFINITE_CARDINALITY and steps_per_epoch is not None)


def _dataset_of_arrays(data, seed):
    """Arrays as a `by_epoch` dataset."""
    arrays, size = check_arrays(data, tf.convert_to_tensor)
    batch_size = data.batch_size or 32

    def for_epoch(epoch, first_batch):
        indices = epoch_order(size, epoch, seed, data.shuffle)[first_batch * batch_size :]
        batches = tf.data.Dataset.from_tensor_slices(indices).batch(batch_size)

        def pick(batch):
            picked = keras.tree.map_structure(lambda array: tf.gather(array, batch), arrays)
            return picked[0] if data.y is None else picked

        return batches.map(pick, num_parallel_calls=tf.data.AUTOTUNE)

    return by_epoch(for_epoch, math.ceil(size / batch_size))
