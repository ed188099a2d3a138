"""Pairs of photographs and label maps from folders."""

from keras_spade.datasets.folders.pairing import existing_directory, own_files, pair_files
from keras_spade.datasets.folders.pipeline import folder_dataset
from keras_spade.datasets.folders.sample_reader import chosen_mapping
from keras_spade.datasets.source import recorded


@recorded
def paired_folders(
    directory,
    num_classes,
    image_size,
    batch_size=1,
    *,
    image_folder="images",
    label_folder="labels",
    instance_folder="instances",
    image_channels=3,
    image_range=None,
    void_label=255,
    label_mapping=None,
    void_class=False,
    instances="auto",
    edges=False,
    load_size=None,
    resize="stretch",
    crop="random",
    flip=False,
    allow_smooth_labels=False,
    cache=False,
    on_bad_file="error",
    validation_split=None,
    subset=None,
    shuffle=True,
    seed=0,
    drop_remainder=False,
    num_parallel_calls=None,
    shard=None,
):
    """Makes a dataset of batches from `images/`, `labels/` and `instances/` folders.

    Files of the same path and stem belong together: `images/a/1.jpg` and `labels/a/1.png`. Images
    are BMP, JPEG, PNG, TIFF, WebP or `.npy` arrays `(H, W)` or `(H, W, channels)`; those of more
    than 8 bits a channel need an `image_range`. Label and instance maps are PNG, BMP, TIFF (ids in
    one channel of 8, 16 or 32 bits; of a palette file the index, not the colour) or `.npy` arrays
    of integers; with a palette in `label_mapping`, label maps may be RGB. Label maps that are JPEG,
    were once, or were resized with smoothing are refused. Other and hidden files are passed over.
    `inspect_dataset` tells beforehand all that is wrong with the files.

    Both sides of a pair are resized, then cropped to `image_size` and flipped alike: images
    bicubically, ids by nearest neighbour, source index `floor(i * in / out)` as in the layers.
    A photograph with an EXIF orientation is turned if its label map has the turned size, left
    alone if that has the stored size, and refused if both are the same.

    Args:
        directory: The folder that holds the folders.
        num_classes: Number of classes, void not counted; label ids are `0..num_classes-1`.
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples a batch.
        image_folder: Where in `directory` the photographs are. `*/images` names the folders
            `images` of all its parts, with `*/labels` for the others; `*` stands for any name, or
            characters of one. Files of the same part belong together.
        label_folder: Where in `directory` the label maps are. In the folder of the photographs,
            such as "." for both, the photographs are the JPEG and WebP files.
        instance_folder: Where in `directory` the instance maps are.
        image_channels: Channels of the images of the batches. 3: RGB, also of grey files; 1: grey,
            also of RGB files of 8 bits; else the number that every file has.
        image_range: `(low, high)`, the numbers of the files that become -1 and 1, such as `(0,
            4095)` or, of a CT, `(-1000, 1000)`; what lies beyond is cut off. None: 0 and 255, of
            files of 8 bits.
        void_label: The id that means "don't care" in the label files, not one of the classes;
            None if there is none.
        label_mapping: A `LabelMapping` for files that hold colours, ids counted otherwise, or
            several void ids; it takes the place of `void_label`.
        void_class: If True, void pixels get the id `num_classes`; if False, void pixels are an
            error.
        instances: Whether to read instance maps; "auto" reads them if the folder exists, and raises
            if one was named in `instance_folder` that does not.
        edges: If True, batches also hold the borders between instances.
        load_size: What to resize to before the crop. None: no larger than needed.
        resize: "stretch": to `load_size`, `(height, width)` or one int for both, whatever the
            aspect ratio. "scale_width", "scale_short_side": width or shorter side becomes the int
            `load_size`, the aspect ratio stays. "none": as the files are.
        crop: "random" or "center", the place of the crop if the resized image is larger than
            `image_size`.
        flip: If True, every sample is mirrored left to right with probability 1/2.
        allow_smooth_labels: If True, label maps whose ids go over borders in steps, as smoothing
            and JPEG make them, are no error.
        cache: If True, resized samples are kept in memory: 4 bytes a pixel (3 of the image, 1 of
            up to 255 classes), and 4 more with instances; with `image_range`, 4 bytes a channel.
        on_bad_file: "error", or "skip": samples that cannot be read, and files without partner,
            are left out and reported by the logger "keras_spade" and in `dataset.source.skipped`;
            the next sample takes the place of one that cannot be read.
        validation_split: Share of the samples, between 0 and 1, that is kept for validation; about
            so many, as each sample is chosen by its name alone, its path in the folder without
            suffix: if the SHA-256 of that, as a fraction, is below this. So a sample stays where it
            is when others come or go, whatever `seed` and the other arguments are.
        subset: With `validation_split`, "training" or "validation": which samples are wanted.
            "both": a tuple of the two datasets, the second with `crop="center"`, without flips, in
            the order of the names.
        shuffle: If True, every epoch has a new order; if False, samples are in the order of
            their names.
        seed: Integer that determines order, crops and flips of each epoch, however many samples
            are read in parallel. None: different in every run; not with `shard`.
        drop_remainder: If True, a last batch of fewer samples is left out.
        num_parallel_calls: How many samples to read at once; None lets `tf.data` choose. Without
            TensorFlow, how many batches; None: as many as there are processors, at most 16.
        shard: `(index, count)` of one of several workers that each read their part of every batch;
            `batch_size` is that of all together.

    Returns:
        A `tf.data.Dataset`, or where TensorFlow is not installed a `keras.utils.PyDataset`, of
        dicts with the keys

        - `labels`: int32 `(batch, height, width)`, in `0..num_classes-1`, or `0..num_classes`
          with `void_class=True`;
        - `image`: float32 `(batch, height, width, image_channels)` in [-1, 1];
        - `instances`, if read: int32 `(batch, height, width)`, the ids of the files;
        - `edges`, if asked for: float32 `(batch, height, width)` of 0 and 1.

    Raises:
        ValueError: if an argument is out of range, a folder is missing or empty, two files of a
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
