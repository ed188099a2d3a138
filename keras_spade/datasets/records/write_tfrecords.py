"""Writes a dataset of files as TFRecord shards."""

import json
import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from keras_spade.arguments import positive_integer
from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.has_tensorflow import need_tensorflow
from keras_spade.datasets.ordered import in_order
from keras_spade.datasets.records.records import FORMAT, INDEX, encode_sample
from keras_spade.datasets.source import source_or_none
from keras_spade.files import replacing

KEPT_FORMATS = ("JPEG", "PNG", "WEBP")


def write_tfrecords(
    dataset: Dataset,
    directory: str | os.PathLike,
    samples_per_shard: int = 1000,
    name: str = "samples",
    verbose: int = 1,
) -> int:
    """Writes all samples of a dataset of files into a few large files, checked and mapped.

    Where opening a file is slow, large datasets are read faster from a few large files than from
    many small ones. `tfrecords` reads the records. With the same seed, it yields the same batches
    as `dataset`, with any sizes, crops and flips, because images are stored unchanged.

    Each record of `<name>-00000-of-00004.tfrecord` is a `tf.train.Example` with the bytes features
    `name` (of the image file), `image` (JPEG, PNG or WebP; for other channels and data types, the
    unchanged pixels as `.npy`), `labels` (8-bit or 16-bit PNG: class ids, with `num_classes` for
    void) and, if there are any, `instances` (the same, or 32-bit TIFF). `index.json`, written last,
    contains `format`, `num_classes`, `void_class` and `instances`; for each shard `file`, and
    `lengths` and `crc32` of its records; and, unless images are 8-bit RGB, `image_channels` and
    `image_range`.

    Args:
        dataset: a dataset made by `paired_folders` or a named dataset's function; only its files,
            their meaning and its `on_bad_file` matter.
        directory: folder to write to, created if it does not exist; it must not contain an index.
        samples_per_shard: records per file.
        name: how the names of the files begin.
        verbose: 1 for a progress bar, 0 for silence.

    Returns:
        The number of samples written.

    Raises:
        ImportError: if TensorFlow, which writes records, is not installed.
        ValueError: if `dataset` is of another kind, `directory` contains an index, no sample can
            be read, or, with `on_bad_file="error"`, any file cannot; it names the file.
        OSError, tf.errors.OpError: if a file cannot be written; it names the file.

    Example:

    ```python
    dataset = keras_spade.datasets.coco_stuff("coco_stuff")
    keras_spade.datasets.write_tfrecords(dataset, "coco_stuff_records")
    train = keras_spade.datasets.tfrecords("coco_stuff_records", load_size=286, flip=True)
    ```
    """
    need_tensorflow(
        "write_tfrecords", "train on the files themselves, with cache=True to keep them in memory"
    )
    import keras
    import tensorflow as tf

    source = source_or_none(dataset)
    if source is None or source.samples is None:
        raise ValueError(
            f"dataset must be made by paired_folders or a named dataset, got {dataset!r}"
        )
    samples, reader = source.samples, source.samples.reader
    samples_per_shard = positive_integer(
        "samples_per_shard", samples_per_shard, "a positive integer"
    )
    directory = Path(directory).expanduser()
    if (directory / INDEX).exists():
        raise ValueError(f"directory must not contain {INDEX}; {directory / INDEX} exists")
    directory.mkdir(parents=True, exist_ok=True)
    count = -(-len(samples) // samples_per_shard)
    progress = keras.utils.Progbar(len(samples), unit_name="sample") if verbose else None

    def encoded(number):
        """A record; `None` for a skipped sample."""
        files = samples.listing.samples[number]
        try:
            image, maps = reader.read(files)
            return encode_sample(files[0], _content(files[0], image), image, maps)
        except ValueError as error:
            if not samples.skips:
                raise
            samples.skip(number, str(error))
            return None

    shards, done = [], 0
    with ThreadPoolExecutor() as pool:
        for shard in range(count):
            numbers = range(len(samples))[shard * samples_per_shard :][:samples_per_shard]
            lengths, checks = [], []
            path = directory / f"{name}-{shard:05}-of-{count:05}.tfrecord"
            with tf.io.TFRecordWriter(str(path)) as writer:
                for record in in_order(pool, encoded, numbers):
                    done += 1
                    if record is not None:
                        writer.write(record)
                        lengths.append(len(record))
                        checks.append(zlib.crc32(record))
                    if progress:
                        progress.update(done)
            if lengths:
                shards.append({"file": path.name, "lengths": lengths, "crc32": checks})
            else:
                path.unlink()
    written = sum(len(shard["lengths"]) for shard in shards)
    if not written:
        raise ValueError(f"no sample can be read: {next(iter(samples.skipped.values()))}")
    index = {
        "format": FORMAT,
        "num_classes": reader.num_classes,
        "void_class": bool(reader.void_class),
        "instances": samples.listing.with_instances,
        "shards": shards,
    }
    if (reader.image_channels, reader.image_range) != (3, None):
        index |= {"image_channels": reader.image_channels, "image_range": reader.image_range}
    with replacing(directory / INDEX) as partial:
        partial.write_text(json.dumps(index))
    return written


def _content(file, image):
    """The bytes of an image file, if they contain the image unchanged."""
    if image.info.get("orientation", 1) != 1 or image.format not in KEPT_FORMATS:
        return None
    return Path(file).read_bytes()
