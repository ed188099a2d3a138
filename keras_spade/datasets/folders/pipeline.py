"""From samples on disk to batches."""

import operator
import secrets
from dataclasses import replace
from typing import Any

import numpy as np

from keras_spade.arguments import positive_integer
from keras_spade.datasets.by_epoch import planned
from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.epoch_plan import EpochPlan
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.pairing import Listing
from keras_spade.datasets.folders.sample_reader import SampleReader
from keras_spade.datasets.folders.samples import Samples
from keras_spade.datasets.folders.subsets import subset_of
from keras_spade.datasets.source import with_source
from keras_spade.images import instance_borders

AUTOTUNE = -1  # The value of `tf.data.AUTOTUNE`.
FILES = "`datasets.inspect_dataset` reports all problems with the files before training."


def folder_dataset(
    listing: Listing,
    num_classes: int,
    label_mapping: LabelMapping,
    image_size: tuple[int, int],
    batch_size: int,
    *,
    void_class: bool,
    as_stored: bool = False,
    info: object = None,
    load_size: int | tuple[int, int] | None = None,
    resize: str = "stretch",
    crop: str = "random",
    flip: bool = False,
    allow_smooth_labels: bool = False,
    validation_split: float | None = None,
    subset: str | None = None,
    image_channels: int = 3,
    image_range: tuple[float, float] | None = None,
    **options: Any,
) -> Dataset:
    """The dataset of the files in a `Listing`; arguments as in `paired_folders`.

    `info` is its entry in `NAMED_DATASETS`.
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


def known_as(dataset: Dataset, info: object) -> Dataset:
    """The dataset, with the `NamedDataset` `info` in its source."""
    return with_source(dataset, replace(dataset.source, info=info))


def batches(
    listing: Listing,
    reader: SampleReader,
    batch_size: int,
    *,
    edges: bool = False,
    cache: bool = False,
    on_bad_file: str = "error",
    shuffle: bool = True,
    seed: int | None = 0,
    drop_remainder: bool = False,
    num_parallel_calls: int | None = None,
    shard: tuple[int, int] | None = None,
) -> Dataset:
    """Returns the dataset of batches of a listing's samples, read by `reader`."""
    size = len(listing.samples)
    batch_size = positive_integer("batch_size", batch_size, "a positive integer")
    if drop_remainder and batch_size > size:
        raise ValueError(
            f"batch_size must be at most the number of samples, {size}, with "
            f"drop_remainder=True, or no batch is left; got {batch_size}"
        )
    if num_parallel_calls in (None, AUTOTUNE):
        num_parallel_calls = None
    else:
        num_parallel_calls = positive_integer(
            "num_parallel_calls", num_parallel_calls, "a positive integer"
        )
    shard = _shard(shard, batch_size, drop_remainder)
    if edges and not listing.with_instances:
        raise ValueError("edges=True needs instance maps, but there are none")
    samples = Samples(listing, reader, cache, on_bad_file)
    if seed is None:
        if shard[1] > 1:
            raise ValueError(
                "with shard, seed must be an integer, the same on every worker, so that all use "
                "the same order; got None"
            )
        seed = secrets.randbits(31)
    try:
        seed = operator.index(seed)
    except TypeError:
        raise ValueError(f"seed must be an integer or None, got {seed!r}") from None

    def read(number, draws):
        arrays = samples.read(number, draws)
        return [*arrays, instance_borders(arrays[2])] if edges else arrays

    size_of = tuple(reader.image_size)
    arrays = {"labels": (reader.label_dtype, size_of)}
    arrays["image"] = reader.image_dtype, (*size_of, reader.image_channels)
    if listing.with_instances:
        arrays["instances"] = np.dtype("int32"), size_of
    if edges:
        arrays["edges"] = np.dtype("bool"), size_of
    plan = EpochPlan(
        size=size,
        batch_size=batch_size // shard[1],
        read=read,
        arrays=arrays,
        seed=seed,
        shuffle=shuffle,
        drop_remainder=drop_remainder,
        shard=shard,
        advice=FILES if isinstance(listing.samples, list) else "",
    )
    dataset = planned(plan, num_parallel_calls)
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
            f"with shard={shard!r}, drop_remainder must be True, and batch_size, that of all "
            f"workers together, a multiple of {count}; got {drop_remainder} and {batch_size}"
        )
    return index, count
