"""COCO-Stuff in the layout that SPADE implementations read."""

from keras_spade.datasets._pairing import (
    existing_directory,
    instance_folder_or_none,
    pair_files,
)
from keras_spade.datasets._pipeline import batches
from keras_spade.datasets._reading import SampleReader

NUM_CLASSES = 182
VOID_LABEL = 255


def coco_stuff(
    directory,
    split="train",
    image_size=(256, 256),
    batch_size=1,
    *,
    void_class=True,
    instances="auto",
    load_size=None,
    crop="random",
    flip=False,
    shuffle=True,
    seed=0,
    drop_remainder=False,
    num_parallel_calls=None,
):
    """Makes a `tf.data.Dataset` of COCO-Stuff batches from `<split>_img/`, `_label/` and `_inst/`.

    The label files hold the ids 0..181 and 255 for void. Reading, resizing, cropping and flipping
    are those of `paired_folders`.

    Args:
        directory: The folder that holds `train_img`, `train_label`, optionally `train_inst`, and
            the same for `val`.
        split: "train" or "val".
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples a batch.
        void_class: If True, void pixels get the id 182; if False, void pixels are an error.
        instances: Whether to read instance maps; "auto" reads them if the folder exists.
        load_size: `(height, width)` to resize to before the crop, at least `image_size`; None
            resizes straight to `image_size`. The official code trains with
            `(286, 286)`.
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

        - `labels`: int32 `(batch, height, width)`, in 0..182, 182 being void (0..181 with
          `void_class=False`);
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
    train = keras_spade.datasets.coco_stuff(
        "coco_stuff", load_size=(286, 286), flip=True, batch_size=4
    )
    val = keras_spade.datasets.coco_stuff("coco_stuff", "val", shuffle=False)
    ```
    """
    reader = SampleReader(
        num_classes=NUM_CLASSES,
        image_size=image_size,
        load_size=load_size,
        crop=crop,
        flip=flip,
        void_label=VOID_LABEL,
        void_class=void_class,
    )
    if split not in ("train", "val"):
        raise ValueError(f'split must be "train" or "val", got {split!r}')
    directory = existing_directory(directory)
    files = pair_files(
        directory / f"{split}_img",
        directory / f"{split}_label",
        instance_folder_or_none(directory / f"{split}_inst", instances),
    )
    return batches(files, reader, batch_size, shuffle, seed, drop_remainder, num_parallel_calls)
