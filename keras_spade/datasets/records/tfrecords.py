"""Samples from TFRecord shards."""

import os
from typing import Any

from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.pairing import Listing, existing_directory
from keras_spade.datasets.folders.pipeline import folder_dataset
from keras_spade.datasets.has_tensorflow import need_tensorflow
from keras_spade.datasets.records.records import Records


def tfrecords(
    directory: str | os.PathLike,
    image_size: tuple[int, int] = (256, 256),
    batch_size: int = 1,
    *,
    on_bad_file: str = "error",
    **kwargs: Any,
) -> Dataset:
    """Makes a dataset of the samples written by `write_tfrecords`.

    Records are read by position, in the same order as the original files: any sample may follow any
    other, and training resumes in the middle of an epoch as with files.

    Args:
        directory: The folder with `index.json` and the shards.
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples per batch.
        on_bad_file: "error" or "skip", as in `paired_folders`, for damaged records.
        **kwargs: `load_size`, `flip`, `cache` and so on, as in `paired_folders`. Number of classes,
            void, instances, `image_channels` and `image_range` are those of the written dataset.

    Returns:
        A dataset of dicts as in `paired_folders`.

    Raises:
        ImportError: if TensorFlow, which reads records, is not installed.
        ValueError: if the index or a shard is missing, or the size of a shard has changed.
        ValueError: when iterated, if a record is damaged; it names shard, record and image.

    Example:

    ```python
    train = keras_spade.datasets.tfrecords("coco_stuff_records", load_size=286, flip=True)
    ```
    """
    need_tensorflow("tfrecords", "read the original files with paired_folders")
    records = Records(existing_directory(directory))
    return folder_dataset(
        Listing(records, with_instances=records.instances),
        records.num_classes,
        LabelMapping(void_labels=records.num_classes if records.void_class else None),
        image_size,
        batch_size,
        void_class=records.void_class,
        as_stored=True,
        allow_smooth_labels=True,  # Checked when they were written.
        image_channels=records.image_channels,
        image_range=records.image_range,
        on_bad_file=on_bad_file,
        **kwargs,
    )
