"""The `tf.data` pipeline from samples to batches."""

import operator
import secrets
import threading

from keras_spade.datasets._pairing import printable, report_skipped
from keras_spade.datasets._python_calls import python_calls
from keras_spade.datasets._sample_reader import SampleReader, positive_integer
from keras_spade.datasets.by_epoch import by_epoch, epoch_order, epoch_seed

MOST_SKIPPED_IN_A_ROW = 1000


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
    call=None,
    load_size=None,
    resize="stretch",
    crop="random",
    flip=False,
    allow_smooth_labels=False,
    **options,
):
    """The dataset of the files in a `Listing`; the arguments are those of `paired_folders`.

    `info` is what `NAMED_DATASETS` knows of it, `call` the function that made it and a dict of its
    arguments.
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
    )
    return noted(batches(listing, reader, batch_size, **options), info, call)


def noted(dataset, info, call):
    """Notes what `NAMED_DATASETS` knows of a dataset, and what made it."""
    dataset.samples.info = info
    dataset.samples.call = call
    return dataset


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
    batch_size = positive_integer("batch_size", batch_size)
    if drop_remainder and batch_size > size:
        raise ValueError(
            f"batch_size must be at most the number of samples, {size}, with "
            f"drop_remainder=True, or no batch is left; got {batch_size}"
        )
    if num_parallel_calls is None:
        num_parallel_calls = tf.data.AUTOTUNE
    elif num_parallel_calls != tf.data.AUTOTUNE:
        num_parallel_calls = positive_integer("num_parallel_calls", num_parallel_calls)
    index, count = _shard(shard, batch_size, drop_remainder)
    share = batch_size // count

    keys = ["labels", "image", *(["instances"] if listing.with_instances else [])]
    dtypes = [tf.as_dtype(reader.label_dtype), tf.uint8, tf.int32][: len(keys)]
    if edges and "instances" not in keys:
        raise ValueError("edges=True needs instance maps, and there are none")
    samples = Samples(listing, reader, cache, on_bad_file)
    read = python_calls().guarded(samples.read)
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
            shapes = [(*reader.image_size, *(() if key != "image" else (3,))) for key in keys]
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
        batch = {
            key: tf.cast(array, tf.float32) / 127.5 - 1.0
            if key == "image"
            else tf.cast(array, tf.int32)
            for key, array in batch.items()
        }
        if edges:
            batch["edges"] = _edges(batch["instances"])
        return batch

    dataset = by_epoch(for_epoch, size // batch_size if drop_remainder else -(-size // batch_size))
    dataset.samples = samples
    return dataset


class Samples:
    """Reads samples by number: `len`, `read(number, draws)`, `load(number)`, `skipped`."""

    def __init__(self, listing, reader, cache, on_bad_file):
        if on_bad_file not in ("error", "skip"):
            raise ValueError(f'on_bad_file must be "error" or "skip", got {on_bad_file!r}')
        self.listing = listing
        self.reader = reader
        self.skips = on_bad_file == "skip"
        self.info = self.call = None
        self.skipped = dict(listing.problems)
        self._bad = set()
        self._cache = {} if cache else None
        self._lock = threading.Lock()

    def __len__(self):
        return len(self.listing.samples)

    def read(self, number, draws):
        """The arrays of a sample for a batch; with `skips`, of the next one that can be read."""
        error = None
        for step in range(min(len(self), MOST_SKIPPED_IN_A_ROW) if self.skips else 1):
            place = (int(number) + step) % len(self)
            if place in self._bad:
                continue
            try:
                return self.reader.window(self.load(place), draws)
            except ValueError as caught:
                error = ValueError(printable(caught))
            if self.skips:
                self.skip(place, str(error))
        if self.skips:
            raise ValueError(
                f"{min(len(self), MOST_SKIPPED_IN_A_ROW)} samples in a row cannot be read: "
                f"{next(reversed(self.skipped.values()))}"
            )
        raise error

    def load(self, number):
        """The arrays of a sample before the crop, from the cache if there is one."""
        if self._cache is None:
            return self.reader.load(self.listing.samples[number])
        arrays = self._cache.get(number)
        if arrays is None:
            arrays = self._cache[number] = self.reader.load(self.listing.samples[number])
        return arrays

    def skip(self, number, reason):
        """Leaves a sample out from now on, and reports it."""
        with self._lock:
            new = number not in self._bad
            self._bad.add(number)
        if new:
            samples = self.listing.samples
            file = samples[number][0] if isinstance(samples, list) else f"record {number}"
            self.skipped[file] = reason
            report_skipped(reason)


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


def _edges(instances):
    """Borders between instances as `keras_spade.layers.instance_edges` marks them."""
    import tensorflow as tf

    edges = tf.zeros_like(instances, tf.bool)
    for axis in (1, 2):
        ahead = tf.roll(instances, -1, axis)
        size = instances.shape[axis]
        inner = tf.reshape(tf.range(size) < size - 1, (-1, 1) if axis == 1 else (-1,))
        border = tf.logical_and(instances != ahead, inner)
        edges = edges | border | tf.roll(border, 1, axis)
    return tf.cast(edges, tf.float32)
