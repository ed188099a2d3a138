"""Pairs of photographs and label maps in folders."""

import os

from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.pairing import existing_directory, own_files, pair_files
from keras_spade.datasets.folders.pipeline import folder_dataset
from keras_spade.datasets.folders.sample_reader import chosen_mapping
from keras_spade.datasets.source import recorded


@recorded
def paired_folders(
    directory: str | os.PathLike,
    num_classes: int,
    image_size: tuple[int, int],
    batch_size: int = 1,
    *,
    image_folder: str = "images",
    label_folder: str = "labels",
    instance_folder: str = "instances",
    image_channels: int = 3,
    image_range: tuple[float, float] | None = None,
    void_label: int | None = 255,
    label_mapping: LabelMapping | None = None,
    void_class: bool = False,
    instances: bool | str = "auto",
    edges: bool = False,
    load_size: int | tuple[int, int] | None = None,
    resize: str = "stretch",
    crop: str = "random",
    flip: bool = False,
    allow_smooth_labels: bool = False,
    cache: bool = False,
    on_bad_file: str = "error",
    validation_split: float | None = None,
    subset: str | None = None,
    shuffle: bool = True,
    seed: int | None = 0,
    drop_remainder: bool = False,
    num_parallel_calls: int | None = None,
    shard: tuple[int, int] | None = None,
) -> Dataset | tuple[Dataset, Dataset]:
    """Makes a dataset of batches from `images/`, `labels/` and `instances/` folders.

    Files with the same path and stem form a pair: `images/a/1.jpg` and `labels/a/1.png`. Images
    are BMP, JPEG, PNG, TIFF, WebP or `.npy` arrays `(H, W)` or `(H, W, channels)`; with more
    than 8 bits per channel, they need an `image_range`. Label and instance maps are PNG, BMP, TIFF
    (ids in one channel of 8, 16 or 32 bits; in palette files the index, not the colour) or `.npy`
    arrays of integers; with a palette in `label_mapping`, label maps may be RGB. Label maps that
    are or once were JPEG, or were resized with smoothing, are refused. Other and hidden files are
    ignored. `inspect_dataset` reports all problems with the files before training.

    Images and maps are resized, then cropped to `image_size` and flipped together: images
    bicubically, ids by nearest neighbour, source index `floor(i * in / out)` as in the layers.
    A photograph with an EXIF orientation is turned if its label map has the turned size, not
    turned if it has the stored size, and refused if both sizes are the same.

    Args:
        directory: The folder that contains the other folders.
        num_classes: Number of classes, excluding void; label ids are `0..num_classes-1`.
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples per batch.
        image_folder: Where in `directory` the photographs are. `*/images` names the `images`
            folders of all its parts (then `*/labels` for the others); `*` stands for any name, or
            any characters of one. Only files of the same part are paired.
        label_folder: Where in `directory` the label maps are. If this is the folder of the
            photographs, such as "." for both, the photographs are the JPEG and WebP files.
        instance_folder: Where in `directory` the instance maps are.
        image_channels: Channels of the images in the batches. 3: RGB, also from grey files; 1:
            grey, also from 8-bit RGB files; otherwise the number that every file has.
        image_range: `(low, high)`, the values in the files that become -1 and 1, such as `(0,
            4095)` or, for CT, `(-1000, 1000)`; values outside are clipped. None: 0 and 255, for
            8-bit files.
        void_label: The id that means "don't care" in the label files, not one of the classes;
            None if there is none.
        label_mapping: A `LabelMapping` for files that hold colours, ids with another numbering, or
            several void ids; it replaces `void_label`.
        void_class: If True, void pixels get the id `num_classes`; if False, void pixels are an
            error.
        instances: Whether to read instance maps; "auto" reads them if the folder exists, and raises
            if `instance_folder` names another folder that does not exist.
        edges: If True, batches also contain the borders between instances.
        load_size: The size before the crop. None: no larger than needed.
        resize: "stretch": to `load_size`, `(height, width)` or one int for both, ignoring the
            aspect ratio. "scale_width", "scale_short_side": make the width or the shorter side
            equal to the int `load_size`, and keep the aspect ratio. "none": keep the size.
        crop: "random" or "center", the place of the crop if the resized image is larger than
            `image_size`.
        flip: If True, every sample is mirrored left to right with probability 1/2.
        allow_smooth_labels: If True, label maps whose ids change gradually across borders, as after
            smoothing or JPEG compression, are accepted.
        cache: If True, resized samples are kept in memory: 4 bytes per pixel (3 for the image, 1
            for up to 255 classes), and 4 more with instances; with `image_range`, 4 bytes per
            channel.
        on_bad_file: "error", or "skip": unreadable samples, and files without a partner, are
            skipped and reported by the logger "keras_spade" and in `dataset.source.skipped`; the
            next sample replaces an unreadable one.
        validation_split: Approximate share of the samples, between 0 and 1, to hold out for
            validation. Each sample is chosen by its name alone, which is its path in the folder
            without suffix: if the SHA-256 of the name, as a fraction, is below this. So a sample
            stays in its subset when others are added or removed, whatever `seed` and the other
            arguments are.
        subset: With `validation_split`, "training" or "validation": which samples to use.
            "both": a tuple of the two datasets, the second with `crop="center"`, without flips, in
            the order of the names.
        shuffle: If True, every epoch has a new order; if False, samples are in the order of
            their names.
        seed: Integer that determines order, crops and flips of each epoch, however many samples
            are read in parallel. None: different in every run; not allowed with `shard`.
        drop_remainder: If True, an incomplete last batch is omitted.
        num_parallel_calls: Number of samples read in parallel; None lets `tf.data` choose. Without
            TensorFlow, number of batches; None: as many as there are processors, at most 16.
        shard: `(index, count)` of one of several workers, each of which reads its part of every
            batch; `batch_size` is that of all workers together.

    Returns:
        A `tf.data.Dataset`, or without TensorFlow a `keras.utils.PyDataset`, of dicts with the keys

        - `labels`: int32 `(batch, height, width)`, in `0..num_classes-1`, or `0..num_classes`
          with `void_class=True`;
        - `image`: float32 `(batch, height, width, image_channels)` in [-1, 1];
        - `instances`, if read: int32 `(batch, height, width)`, the ids in the files;
        - `edges`, if requested: float32 `(batch, height, width)` of 0 and 1.

    Raises:
        ValueError: if an argument is out of range, a folder is missing or empty, two files in a
            folder share a name, or a file has no partner.
        ValueError: when iterated, if a file cannot be read, the sizes of a pair differ, ids are not
            in one channel, or a label id is not a class. It names the file.

    Example:

    ```python
    dataset = keras_spade.datasets.paired_folders(
        "camvid/train", num_classes=11, void_label=11, void_class=True,
        image_size=(96, 128), load_size=(108, 144), flip=True, batch_size=4,
    )
    batch = next(iter(dataset))
    batch["labels"].shape  # (4, 96, 128)
    ```
    """
    label_mapping = chosen_mapping(num_classes, void_label, label_mapping)
    folders = image_folder, label_folder, instance_folder
    files = own_files(existing_directory(directory), *folders, instances)
    listing = pair_files(*files, on_bad_file=on_bad_file)
    return folder_dataset(
        listing,
        num_classes,
        label_mapping,
        image_size,
        batch_size,
        void_class=void_class,
        load_size=load_size,
        resize=resize,
        crop=crop,
        flip=flip,
        allow_smooth_labels=allow_smooth_labels,
        image_channels=image_channels,
        image_range=image_range,
        edges=edges,
        cache=cache,
        on_bad_file=on_bad_file,
        validation_split=validation_split,
        subset=subset,
        shuffle=shuffle,
        seed=seed,
        drop_remainder=drop_remainder,
        num_parallel_calls=num_parallel_calls,
        shard=shard,
    )
