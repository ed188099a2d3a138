"""The `tf.data` pipeline from lists of files to batches."""

import secrets

from keras_spade.datasets._reading import positive_integer
from keras_spade.datasets.by_epoch import by_epoch, epoch_order, epoch_seed


def batches(files, reader, batch_size, shuffle, seed, drop_remainder, num_parallel_calls):
    """Returns a `tf.data.Dataset` of batches of the samples that `reader` makes of `files`.

    Every sample gets three uniform draws of its own, made from `seed`, the epoch and its place in
    the epoch, so the result depends neither on how many samples are read in parallel nor on the
    epochs before.
    """
    import tensorflow as tf

    batch_size = positive_integer("batch_size", batch_size)
    if drop_remainder and batch_size > len(files):
        raise ValueError(
            f"batch_size must be at most the number of samples, {len(files)}, with "
            f"drop_remainder=True, or no batch is left; got {batch_size}"
        )
    if num_parallel_calls is None:
        num_parallel_calls = tf.data.AUTOTUNE
    elif num_parallel_calls != tf.data.AUTOTUNE:
        num_parallel_calls = positive_integer("num_parallel_calls", num_parallel_calls)

    height, width = reader.image_size
    specs = {
        "labels": tf.TensorSpec((height, width), tf.int32),
        "image": tf.TensorSpec((height, width, 3), tf.float32),
        "instances": tf.TensorSpec((height, width), tf.int32),
    }
    keys = list(specs)[: len(files[0])]

    if seed is None:
        seed = secrets.randbits(31)

    def read(index, draws):
        return reader(files[index], draws)

    def for_epoch(epoch, first_batch):
        order = epoch_order(len(files), epoch, seed, shuffle)
        places = tf.range(len(files), dtype=tf.int64)
        seeds = epoch_seed(epoch, seed)

        def sample(index, place):
            draws = tf.random.stateless_uniform(
                (3,), seed=tf.random.experimental.stateless_fold_in(seeds, place)
            )
            arrays = tf.numpy_function(read, [index, draws], [specs[key].dtype for key in keys])
            return {
                key: tf.ensure_shape(array, specs[key].shape)
                for key, array in zip(keys, arrays, strict=True)
            }

        first = first_batch * batch_size
        dataset = tf.data.Dataset.from_tensor_slices((order[first:], places[first:]))
        dataset = dataset.map(sample, num_parallel_calls=num_parallel_calls, deterministic=True)
        dataset = dataset.batch(batch_size, drop_remainder=drop_remainder)
        return dataset.prefetch(tf.data.AUTOTUNE)

    batches = len(files) // batch_size if drop_remainder else -(-len(files) // batch_size)
    return by_epoch(for_epoch, batches)
