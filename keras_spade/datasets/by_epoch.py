"""Datasets whose epochs are known by their numbers."""

import itertools

import numpy as np

from keras_spade.datasets.data_errors import with_data_errors
from keras_spade.datasets.python_calls import python_calls
from keras_spade.datasets.source import Source, source_or_none, with_source


def by_epoch(for_epoch, num_batches):
    """Makes a `tf.data.Dataset` whose passes are epochs made from their number alone.

    `GauGAN.fit` asks such a dataset for the epoch it is in, and for the batches from some place in
    it on. So interrupted training goes on with the very batches that were left, and
    `fit(initial_epoch=...)` with those of that epoch. `evaluate` takes the first epoch each time;
    elsewhere, the first pass is epoch 0, the second epoch 1, and so on. All datasets of
    `keras_spade.datasets` are of this kind. A transformation of it (`.map`, `.take`) is not any
    more, so transform inside of `for_epoch`.

    Args:
        for_epoch: function of the number of an epoch and of its first batch that is wanted, both
            int64 scalar tensors, which returns a `tf.data.Dataset` of batches. It is traced.
        num_batches: batches in an epoch.

    Returns:
        A `tf.data.Dataset`.

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
    import tensorflow as tf

    passes = itertools.count()
    next_pass = python_calls().guarded(lambda: np.int64(next(passes)))

    def number(_):
        return tf.ensure_shape(tf.numpy_function(next_pass, [], tf.int64), [])

    zero = tf.constant(0, tf.int64)
    dataset = tf.data.Dataset.range(1).map(number).flat_map(lambda epoch: for_epoch(epoch, zero))
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(num_batches))
    return with_source(with_data_errors(dataset), Source(for_epoch, num_batches))


def epoch_order(size, epoch, seed, shuffle=True):
    """The order of the samples in an epoch: a function of seed and epoch only.

    Args:
        size: number of samples.
        epoch: int or int64 scalar tensor.
        seed: int.
        shuffle: if not, the order is that of the samples.

    Returns:
        int64 tensor `(size,)`, the samples' numbers.

    Example:

    >>> from keras_spade.datasets import epoch_order
    >>> sorted(epoch_order(4, epoch=3, seed=0).numpy().tolist())
    [0, 1, 2, 3]
    """
    import tensorflow as tf

    indices = tf.range(size, dtype=tf.int64)
    if not shuffle:
        return indices
    return tf.random.experimental.stateless_shuffle(indices, seed=epoch_seed(epoch, seed))


def epoch_seed(epoch, seed):
    """A seed for TensorFlow's stateless operations, from those of the dataset and an epoch."""
    import tensorflow as tf

    seeds = tf.constant([seed, 0], tf.int64)
    return tf.random.experimental.stateless_fold_in(seeds, tf.cast(epoch, tf.int64))


def one_epoch(data):
    """Returns the first epoch of a dataset of `by_epoch`, at every pass; other data as they are.

    So validation does not depend on how often it was made before.
    """
    source = source_or_none(data)
    if source is None:
        return data
    import tensorflow as tf

    zero = tf.constant(0, tf.int64)
    count = tf.data.experimental.assert_cardinality(len(data))
    return source.for_epoch(zero, zero).apply(count)
