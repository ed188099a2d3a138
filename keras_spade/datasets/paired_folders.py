"""Pairs of photographs and label maps from folders."""

from keras_spade.datasets._pairing import (
    existing_directory,
    instance_folder_or_none,
    pair_files,
)
from keras_spade.datasets._pipeline import batches
from keras_spade.datasets._reading import SampleReader


def paired_folders(
    directory,
    num_classes,
    image_size,
    batch_size=1,
    *,
    void_label=255,
    void_class=False,
    instances="auto",
    load_size=None,
    crop="random",
    flip=False,
    shuffle=True,
    seed=0,
    drop_remainder=False,
    num_parallel_calls=None,
):
    """Makes a `tf.data.Dataset` of batches from `images/`, `labels/` and `instances/` folders.

    Files of the same stem belong together: `images/street_1.jpg` and `labels/street_1.png`. Images
    are `.bmp`, `.jpeg`, `.jpg`, `.png` or `.webp`; label maps are PNG, instance maps PNG or TIFF,
    with the ids in one channel (of a palette file the index, not the colour). Other and hidden
    files and subfolders are passed over. The files are opened when the dataset is iterated.

    Both sides of a pair are resized to `load_size` whatever their aspect ratio (images bicubically,
    ids by nearest neighbour, source index `floor(i * in / out)` as in the SPADE layers), then
    cropped to `image_size` and flipped alike. EXIF orientation is not applied.

    Args:
        directory: The folder that holds `images`, `labels` and optionally `instances`.
        num_classes: Number of classes, void not counted; label ids are `0..num_classes-1`.
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples a batch.
        void_label: The id that means "don't care" in the label files, not one of the classes;
            None if there is none.
        void_class: If True, void pixels get the id `num_classes`; if False, void pixels are an
            error.
        instances: Whether to read instance maps; "auto" reads them if the folder exists.
        load_size: `(height, width)` to resize to before the crop, at least `image_size`; None
            resizes straight to `image_size`.
        crop: "random" or "center", the place of the crop if `load_size` is larger than
            `image_size`.
        flip: If True, every sample is mirrored left to right with probability 1/2.
        shuffle: If True, every epoch has a new order; if False, samples are in the order of
            their stems.
        seed: Integer that determines order, crops and flips of each epoch, however many samples
            are read in parallel. None: different in every run, and on every worker.
        drop_remainder: If True, a last batch of fewer samples is left out.
        num_parallel_calls: How many samples to read at once; None lets `tf.data` choose.

    Returns:
        A `tf.data.Dataset` of dicts with the keys

        - `labels`: int32 `(batch, height, width)`, in `0..num_classes-1`, or `0..num_classes`
          with `void_class=True`;
        - `image`: float32 `(batch, height, width, 3)`, RGB in [-1, 1];
        - `instances`, if read: int32 `(batch, height, width)`, the ids of the files.

    Raises:
        ValueError: if an argument is out of range, a folder is missing or empty, two files of a
            folder share a stem, or a file has no partner.
        tf.errors.InvalidArgumentError: when iterated, if a file cannot be read, the sizes of a
            pair differ, ids are not in one channel, or a label id is not a class. It names the
            file.

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
    reader = SampleReader(
        num_classes=num_classes,
        image_size=image_size,
        load_size=load_size,
        crop=crop,
        flip=flip,
        void_label=void_label,
        void_class=void_class,
    )
    directory = existing_directory(directory)
    files = pair_files(
        directory / "images",
        directory / "labels",
        instance_folder_or_none(directory / "instances", instances),
    )
    return batches(files, reader, batch_size, shuffle, seed, drop_remainder, num_parallel_calls)
