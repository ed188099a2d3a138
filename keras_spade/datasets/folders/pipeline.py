"""The `tf.data` pipeline from samples to batches."""

import operator
import secrets
from dataclasses import replace

from keras_spade.arguments import positive_integer
from keras_spade.datasets.by_epoch import by_epoch, epoch_order, epoch_seed
from keras_spade.datasets.folders.sample_reader import SampleReader
from keras_spade.datasets.folders.samples import Samples
from keras_spade.datasets.folders.subsets import subset_of
from keras_spade.datasets.python_calls import python_calls
from keras_spade.datasets.source import with_source
from keras_spade.images import to_floats

FILES = "`datasets.inspect_dataset` tells beforehand what is wrong with any of the files."


def folder_dataset(
    listing,
    num_classes,
    label_mapping,
    image_size,
    batch_size,
    *,
    void_class,
    as_stored=False,
    info=None,
    load_size=None,
    resize="stretch",
    crop="random",
    flip=False,
    allow_smooth_labels=False,
    validation_split=None,
    subset=None,
    image_channels=3,
    image_range=None,
    **options,
):
    """The dataset of the files in a `Listing`; the arguments are those of `paired_folders`.

    `info` is what `NAMED_DATASETS` knows of it.
    """
    reader = SampleReader(
        num_classes=num_classes,
        image_size=image_size,
        load_size=load_size,
        resize=resize,
        crop=crop,
        flip=flip,
        label_mapping=label_mapping,
        void_class=void_class,
        as_stored=as_stored,
        allow_smooth_labels=allow_smooth_labels,
        image_channels=image_channels,
        image_range=image_range,
    )
    listing = subset_of(listing, validation_split, subset)
    return known_as(batches(listing, reader, batch_size, **options), info)


def known_as(dataset, info):
    """The dataset, known to be the `NamedDataset` `info`."""
    return with_source(dataset, replace(dataset.source, info=info))


def batches(
    listing,
    reader,
    batch_size,
    *,
    edges=False,
    cache=False,
    on_bad_file="error",
    shuffle=True,
    seed=0,
    drop_remainder=False,
    num_parallel_calls=None,
    shard=None,
):
    """Returns a `tf.data.Dataset` of batches of the samples that `reader` makes of a listing's.

    Every sample gets three uniform draws of its own, made from `seed`, the epoch and its place in
    the epoch, so the result depends neither on how many samples are read in parallel nor on the
    epochs before.
    """
    import tensorflow as tf

    size = len(listing.samples)
    batch_size = positive_integer("batch_size", batch_size, "a positive integer")
    if drop_remainder and batch_size > size:
        raise ValueError(
            f"batch_size must be at most the number of samples, {size}, with "
            f"drop_remainder=True, or no batch is left; got {batch_size}"
        )
    if num_parallel_calls is None:
        num_parallel_calls = tf.data.AUTOTUNE
    elif num_parallel_calls != tf.data.AUTOTUNE:
        num_parallel_calls = positive_integer(
            "num_parallel_calls", num_parallel_calls, "a positive integer"
        )
    index, count = _shard(shard, batch_size, drop_remainder)
    share = batch_size // count

    keys = ["labels", "image", *(["instances"] if listing.with_instances else [])]
    dtypes = [*map(tf.as_dtype, (reader.label_dtype, reader.image_dtype)), tf.int32][: len(keys)]
    channels = {"image": (reader.image_channels,)}
    if edges and "instances" not in keys:
        raise ValueError("edges=True needs instance maps, and there are none")
    samples = Samples(listing, reader, cache, on_bad_file)
    read = python_calls().guarded(samples.read, FILES if isinstance(listing.samples, list) else "")
    if seed is None:
        if count > 1:
            raise ValueError(
                "seed must be an integer with shard, the same on every worker, or their parts "
                "would not be of one order; got None"
            )
        seed = secrets.randbits(31)
    try:
        seed = operator.index(seed)
    except TypeError:
        raise ValueError(f"seed must be an integer or None, got {seed!r}") from None

    def for_epoch(epoch, first_batch):
        order = epoch_order(size, epoch, seed, shuffle)
        places = tf.range(size, dtype=tf.int64)
        seeds = epoch_seed(epoch, seed)
        if count > 1:
            rows = tf.reshape(tf.range(size)[: size // batch_size * batch_size], (-1, count, share))
            mine = tf.reshape(rows[:, index], (-1,))
            order, places = tf.gather(order, mine), tf.gather(places, mine)

        def sample(number, place):
            draws = tf.random.stateless_uniform(
                (3,), seed=tf.random.experimental.stateless_fold_in(seeds, place)
            )
            arrays = tf.numpy_function(read, [number, draws], dtypes)
            shapes = [(*reader.image_size, *channels.get(key, ())) for key in keys]
            return {
                key: tf.ensure_shape(array, shape)
                for key, array, shape in zip(keys, arrays, shapes, strict=True)
            }

        first = first_batch * share
        dataset = tf.data.Dataset.from_tensor_slices((order[first:], places[first:]))
        dataset = dataset.map(sample, num_parallel_calls=num_parallel_calls, deterministic=True)
        dataset = dataset.batch(share, drop_remainder=drop_remainder)
        dataset = dataset.map(convert, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return dataset.prefetch(tf.data.AUTOTUNE)

    def convert(batch):
        image = tf.cast(batch["image"], tf.float32)
        image = to_floats(image) if reader.image_range is None else image
        batch = {
            key: image if key == "image" else tf.cast(array, tf.int32)
            for key, array in batch.items()
        }
        if edges:
            batch["edges"] = borders(batch["instances"])
        return batch

    dataset = by_epoch(for_epoch, size // batch_size if drop_remainder else -(-size // batch_size))
    return with_source(dataset, replace(dataset.source, samples=samples))


def _shard(shard, batch_size, drop_remainder):
    """`(index, count)` of a worker."""
    if shard is None:
        return 0, 1
    try:
        index, count = map(operator.index, shard)
        good = 0 <= index < count
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(f"shard must be (index, count) with 0 <= index < count, got {shard!r}")
    if batch_size % count or not drop_remainder:
        raise ValueError(
            f"with shard={shard!r}, drop_remainder must be True and batch_size, that of all "
            f"workers together, a multiple of {count}; got {drop_remainder} and {batch_size}"
        )
    return index, count


def borders(instances):
    """Borders between instances (B, H, W) as `keras_spade.layers.instance_edges` marks them."""
    import tensorflow as tf

    below = tf.pad(instances[:, 1:] != instances[:, :-1], ((0, 0), (0, 1), (0, 0)))
    right = tf.pad(instances[:, :, 1:] != instances[:, :, :-1], ((0, 0), (0, 0), (0, 1)))
    edges = below | tf.roll(below, 1, 1) | right | tf.roll(right, 1, 2)
    return tf.cast(edges, tf.float32)
