"""Datasets whose epochs are a function of the epoch number."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_spade.datasets import philox
from keras_spade.datasets.data_errors import with_data_errors
from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.epoch_plan import EpochPlan, converted
from keras_spade.datasets.has_tensorflow import has_tensorflow
from keras_spade.datasets.python_calls import python_calls
from keras_spade.datasets.source import Source, source_or_none, with_source
from keras_spade.tensor import Tensor


def by_epoch(for_epoch: Callable, num_batches: int) -> Dataset:
    """Makes a dataset in which each pass is an epoch, determined by its number alone.

    `GauGAN.fit` asks such a dataset for the current epoch, starting at any batch. So interrupted
    training resumes with exactly the batches that were left, and `fit(initial_epoch=...)` starts
    with those of that epoch. `evaluate` uses the first epoch each time; elsewhere, the first pass
    is epoch 0, the second epoch 1, and so on. All datasets of `keras_spade.datasets` work this way.
    Transformations (`.map`, `.take`) lose this property, so transform inside `for_epoch`.

    Without TensorFlow, the dataset is a `keras.utils.PyDataset`: `for_epoch` is called with ints
    and returns any iterable of batches (dicts of arrays), such as a generator. It is called once
    per batch, from several threads, and only the first batch of the iterable is used.

    Args:
        for_epoch: function of the epoch number and the number of the first batch, both int64 scalar
            tensors; returns a `tf.data.Dataset` of batches. It is traced.
        num_batches: batches per epoch.

    Returns:
        A `tf.data.Dataset`; without TensorFlow, a `keras.utils.PyDataset`.

    Example:

    >>> import tensorflow as tf
    >>> from keras_spade.datasets import by_epoch, epoch_order
    >>> def for_epoch(epoch, first_batch):
    ...     order = epoch_order(6, epoch, seed=0)
    ...     return tf.data.Dataset.from_tensor_slices(order).batch(2).skip(first_batch)
    >>> data = by_epoch(for_epoch, num_batches=3)
    >>> len(data), len(list(data))
    (3, 3)
    """
    if not has_tensorflow():
        return _without_tensorflow(Source(for_epoch, num_batches))
    import tensorflow as tf

    passes = itertools.count()
    next_pass = python_calls().guarded(lambda: np.int64(next(passes)))

    def number(_):
        return tf.ensure_shape(tf.numpy_function(next_pass, [], tf.int64), [])

    zero = tf.constant(0, tf.int64)
    dataset = tf.data.Dataset.range(1).map(number).flat_map(lambda epoch: for_epoch(epoch, zero))
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(num_batches))
    return with_source(with_data_errors(dataset), Source(for_epoch, num_batches))


def epoch_order(size: int, epoch: Tensor, seed: int, shuffle: bool = True) -> Tensor:
    """The order of the samples in an epoch: a function of seed and epoch only.

    Args:
        size: number of samples.
        epoch: int or int64 scalar tensor.
        seed: int.
        shuffle: if False, samples keep their order.

    Returns:
        int64 tensor `(size,)`, the numbers of the samples; without TensorFlow, an array.

    Example:

    >>> from keras_spade.datasets import epoch_order
    >>> sorted(epoch_order(4, epoch=3, seed=0).numpy().tolist())
    [0, 1, 2, 3]
    """

    def order(epoch):
        if not shuffle:
            return np.arange(size)
        return philox.shuffled(size, philox.epoch_seed(int(epoch), seed))

    if not has_tensorflow():
        return order(epoch)
    import tensorflow as tf

    epoch = tf.cast(epoch, tf.int64)
    found = tf.numpy_function(python_calls().guarded(order), [epoch], tf.int64)
    return tf.ensure_shape(found, [size])


def planned(plan: EpochPlan, num_parallel_calls: int | None = None) -> Dataset:
    """The dataset of a plan, made by `by_epoch`.

    Args:
        plan: an `EpochPlan`.
        num_parallel_calls: number of samples read in parallel; `None`: chosen automatically.
    """
    if not has_tensorflow():
        source = Source(plan.batches, plan.num_batches)
        return _without_tensorflow(source, num_parallel_calls)
    import tensorflow as tf

    calls = python_calls()
    samples = calls.guarded(lambda epoch: plan.samples(int(epoch)))
    read = calls.guarded(plan.read, plan.advice)
    dtypes = [tf.as_dtype(dtype) for dtype, _ in plan.arrays.values()]

    def sample(number, draws):
        arrays = tf.numpy_function(read, [number, draws], dtypes)
        return {
            key: tf.ensure_shape(array, shape)
            for (key, (_, shape)), array in zip(plan.arrays.items(), arrays, strict=True)
        }

    def for_epoch(epoch, first_batch):
        numbers, draws = tf.numpy_function(samples, [epoch], [tf.int64, tf.float32])
        numbers, draws = tf.ensure_shape(numbers, [None]), tf.ensure_shape(draws, [None, 3])
        first = first_batch * plan.batch_size
        data = tf.data.Dataset.from_tensor_slices((numbers[first:], draws[first:]))
        parallel = tf.data.AUTOTUNE if num_parallel_calls is None else num_parallel_calls
        data = data.map(sample, num_parallel_calls=parallel, deterministic=True)
        data = data.batch(plan.batch_size, drop_remainder=plan.drop_remainder)
        data = data.map(
            lambda batch: converted(batch, tf.cast),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        return data.prefetch(tf.data.AUTOTUNE)

    return by_epoch(for_epoch, plan.num_batches)


def one_epoch(data: Any, steps: int | None = None) -> Any:
    """Returns a `by_epoch` dataset that repeats its first epoch; returns other data unchanged.

    Validation then does not depend on how often it has run before.
    """
    source = source_or_none(data)
    if source is None:
        return data
    if hasattr(data, "first_epoch"):  # An `EpochDataset`.
        return data.first_epoch(steps)
    import tensorflow as tf

    zero = tf.constant(0, tf.int64)
    count = tf.data.experimental.assert_cardinality(len(data))
    return source.for_epoch(zero, zero).apply(count)


def _without_tensorflow(source, workers=None):
    """An `EpochDataset`, the only reason to import Keras."""
    from keras_spade.datasets.epoch_dataset import EpochDataset

    return EpochDataset(source, workers)
