"""CamVid."""

from keras_spade.datasets._pairing import (
    IMAGE_SUFFIXES,
    Files,
    existing_directory,
    pair_files,
)
from keras_spade.datasets._pipeline import folder_dataset
from keras_spade.datasets._small_label_sets import CAMVID, CAMVID_VOID
from keras_spade.datasets.label_mapping import LabelMapping
from keras_spade.datasets.named_dataset import NAMED_DATASETS

VOID_LABEL = 11
PUBLISHED = ("701_StillsRaw_full", "LabeledApproved_full")


def camvid(
    directory,
    split="train",
    image_size=(288, 384),
    batch_size=1,
    *,
    num_classes=11,
    void_class=True,
    on_bad_file="error",
    **kwargs,
):
    """Makes a `tf.data.Dataset` of CamVid street scenes.

    Three layouts are read: `<split>/images/` and `<split>/labels/`; `<split>/` and
    `<split>annot/`, as the SegNet tutorial spreads it; both with ids 0..10 and 11 for void; and the
    published archives `701_StillsRaw_full/*.png` and `LabeledApproved_full/*_L.png` with colours,
    which know no splits.

    Args:
        directory: The folder that holds these.
        split: the name of a split, "train", "val" or "test"; "all" for the published archives.
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples a batch.
        num_classes: 11, the usual groups of classes, or, with colours, 31: all.
        void_class: If True, void pixels get the id `num_classes`; if False, they are an error.
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
    train = keras_spade.datasets.camvid("camvid", "train", load_size=(324, 432), flip=True)
    ```

    Reference: Brostow, Fauqueur, Cipolla, "Semantic Object Classes in Video: A High-Definition
    Ground Truth Database", Pattern Recognition Letters 30(2), 2009.
    """
    call = (camvid, dict(locals()))
    if num_classes not in (11, 31):
        raise ValueError(f"num_classes must be 11 or 31, got {num_classes!r}")
    directory = existing_directory(directory)
    published = (directory / PUBLISHED[0]).is_dir()
    if published and split != "all":
        raise ValueError(
            f'split must be "all" with {PUBLISHED[0]}, which knows no splits, got {split!r}'
        )
    if num_classes == 31 and not published:
        raise ValueError(f"num_classes=31 needs the folders {' and '.join(PUBLISHED)}")
    images, labels, ending = directory / split / "images", directory / split / "labels", ""
    if published:
        images, labels, ending = *(directory / folder for folder in PUBLISHED), "_L"
    elif (directory / f"{split}annot").is_dir():
        images, labels = directory / split, directory / f"{split}annot"
    listing = pair_files(
        Files("image", images, suffixes=IMAGE_SUFFIXES),
        Files("label", labels, ending, suffixes=(".png",)),
        on_bad_file=on_bad_file,
    )
    mapping = LabelMapping(void_labels=VOID_LABEL)
    if published:
        colors = {
            color: group if num_classes == 11 else number
            for number, (_, color, group) in enumerate(CAMVID)
        }
        mapping = LabelMapping(palette={**colors, CAMVID_VOID: 255}, void_labels=255)
    info = NAMED_DATASETS["camvid" if num_classes == 11 else "camvid_31"]
    return folder_dataset(
        listing,
        info.num_classes,
        mapping,
        image_size,
        batch_size,
        void_class=void_class,
        on_bad_file=on_bad_file,
        as_stored=True,
        info=info,
        call=call,
        **kwargs,
    )
