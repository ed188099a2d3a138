"""Cityscapes."""

from keras_spade.datasets._pairing import (
    Files,
    existing_directory,
    instance_folder_or_none,
    pair_files,
)
from keras_spade.datasets._pipeline import folder_dataset
from keras_spade.datasets._small_label_sets import CITYSCAPES
from keras_spade.datasets.label_mapping import LabelMapping
from keras_spade.datasets.named_dataset import NAMED_DATASETS

TRAIN_IDS = {
    number: train_id for number, (_, train_id, _) in enumerate(CITYSCAPES) if train_id is not None
}
WITHOUT_TRAIN_ID = [number for number in range(len(CITYSCAPES)) if number not in TRAIN_IDS]


def cityscapes(
    directory,
    split="train",
    image_size=(256, 512),
    batch_size=1,
    *,
    labels="trainIds",
    instances=True,
    on_bad_file="error",
    **kwargs,
):
    """Makes a `tf.data.Dataset` of Cityscapes batches.

    Reads `leftImg8bit/<split>/<city>/*_leftImg8bit.png` and, of `gtFine/<split>/<city>/`, the files
    `*_gtFine_labelIds.png` and `*_gtFine_instanceIds.png`; those of train ids need not be made.
    Images are twice as wide as high.

    Args:
        directory: The folder that holds `leftImg8bit` and `gtFine`.
        split: "train" or "val".
        image_size: `(height, width)` of the batches; the paper's are (256, 512).
        batch_size: Number of samples a batch.
        labels: "trainIds": the 19 classes of the benchmark, void 19. "labelIds": ids as in the
            files, 35 classes as in the authors' weights: 0..6 (unlabeled and the like) are classes
            too, and 34, the licence plate, is in no file.
        instances: Whether to read instance maps.
        on_bad_file: "error" or "skip", as in `paired_folders`.
        **kwargs: `load_size`, `flip`, `cache` and so on, as in `paired_folders`.

    Returns:
        A `tf.data.Dataset` of dicts as of `paired_folders`.

    Raises:
        ValueError: if an argument is out of range, a folder is missing or empty, or a file has no
            partner.
        tf.errors.InvalidArgumentError: when iterated, for a file that cannot be used.

    Example:

    ```python
    train = keras_spade.datasets.cityscapes("cityscapes", flip=True, edges=True, batch_size=4)
    ```

    Reference: Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR
    2016.
    """
    call = (cityscapes, dict(locals()))
    if split not in ("train", "val"):
        raise ValueError(f'split must be "train" or "val", got {split!r}')
    if labels not in ("trainIds", "labelIds"):
        raise ValueError(f'labels must be "trainIds" or "labelIds", got {labels!r}')
    directory = existing_directory(directory)
    fine = directory / "gtFine" / split
    png = {"suffixes": (".png",)}
    instance_folder = instance_folder_or_none(fine, instances)
    listing = pair_files(
        Files("image", directory / "leftImg8bit" / split, "_leftImg8bit", **png),
        Files("label", fine, "_gtFine_labelIds", **png),
        instance_folder and Files("instance", instance_folder, "_gtFine_instanceIds", **png),
        on_bad_file=on_bad_file,
    )
    train_ids = labels == "trainIds"
    info = NAMED_DATASETS["cityscapes" if train_ids else "cityscapes_label_ids"]
    mapping = LabelMapping(void_labels=None)
    if train_ids:
        mapping = LabelMapping(remap=TRAIN_IDS, void_labels=WITHOUT_TRAIN_ID)
    return folder_dataset(
        listing,
        info.num_classes,
        mapping,
        image_size,
        batch_size,
        void_class=train_ids,
        on_bad_file=on_bad_file,
        as_stored=True,
        info=info,
        call=call,
        **kwargs,
    )
