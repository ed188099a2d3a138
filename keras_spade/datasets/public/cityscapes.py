"""Cityscapes."""

import os
from typing import Any

from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.pairing import (
    Files,
    existing_directory,
    instance_folder_or_none,
    pair_files,
)
from keras_spade.datasets.public.layout import Layout
from keras_spade.datasets.public.named_dataset import NamedDataset
from keras_spade.datasets.public.public_dataset import public_files, published

# Cityscapes' helpers/labels.py: name, train id (None: ignored), colour; the position is the id.
# The 35th, the licence plate, has the id -1 there and occurs in no label map.
CITYSCAPES = (
    ("unlabeled", None, (0, 0, 0)),
    ("ego vehicle", None, (0, 0, 0)),
    ("rectification border", None, (0, 0, 0)),
    ("out of roi", None, (0, 0, 0)),
    ("static", None, (0, 0, 0)),
    ("dynamic", None, (111, 74, 0)),
    ("ground", None, (81, 0, 81)),
    ("road", 0, (128, 64, 128)),
    ("sidewalk", 1, (244, 35, 232)),
    ("parking", None, (250, 170, 160)),
    ("rail track", None, (230, 150, 140)),
    ("building", 2, (70, 70, 70)),
    ("wall", 3, (102, 102, 156)),
    ("fence", 4, (190, 153, 153)),
    ("guard rail", None, (180, 165, 180)),
    ("bridge", None, (150, 100, 100)),
    ("tunnel", None, (150, 120, 90)),
    ("pole", 5, (153, 153, 153)),
    ("polegroup", None, (153, 153, 153)),
    ("traffic light", 6, (250, 170, 30)),
    ("traffic sign", 7, (220, 220, 0)),
    ("vegetation", 8, (107, 142, 35)),
    ("terrain", 9, (152, 251, 152)),
    ("sky", 10, (70, 130, 180)),
    ("person", 11, (220, 20, 60)),
    ("rider", 12, (255, 0, 0)),
    ("car", 13, (0, 0, 142)),
    ("truck", 14, (0, 0, 70)),
    ("bus", 15, (0, 60, 100)),
    ("caravan", None, (0, 0, 90)),
    ("trailer", None, (0, 0, 110)),
    ("train", 16, (0, 80, 100)),
    ("motorcycle", 17, (0, 0, 230)),
    ("bicycle", 18, (119, 11, 32)),
    ("license plate", None, (0, 0, 142)),
)
TRAIN_IDS = {
    number: train_id for number, (_, train_id, _) in enumerate(CITYSCAPES) if train_id is not None
}
WITHOUT_TRAIN_ID = [number for number in range(len(CITYSCAPES)) if number not in TRAIN_IDS]
TRAINED = [(name, color) for name, train_id, color in CITYSCAPES if train_id is not None]
CITATION = "Cordts et al.: The Cityscapes Dataset for Semantic Urban Scene Understanding, CVPR 2016"

COUNTINGS = {
    "cityscapes": NamedDataset(
        "Cityscapes, train ids",
        "cityscapes(directory, split)",
        "`leftImg8bit/<split>/<city>/`, `gtFine/<split>/<city>/`",
        tuple(name for name, _ in TRAINED),
        tuple(color for _, color in TRAINED),
        "all ids that have no train id",
        CITATION,
    ),
    "cityscapes_label_ids": NamedDataset(
        "Cityscapes, label ids",
        'cityscapes(directory, split, labels="labelIds")',
        "the same",
        tuple(name for name, _, _ in CITYSCAPES),
        tuple(color for _, _, color in CITYSCAPES),
        "none: 0, unlabeled, is a class",
        CITATION,
    ),
}


@published(
    COUNTINGS,
    [Layout(("gtFine/train",)), Layout(("gtFine/val",), "val")],
    has_instances=True,
)
def cityscapes(
    directory: str | os.PathLike,
    split: str = "train",
    image_size: tuple[int, int] = (256, 512),
    batch_size: int = 1,
    *,
    labels: str = "trainIds",
    instances: bool = True,
    on_bad_file: str = "error",
    **kwargs: Any,
) -> Dataset:
    """Makes a dataset of Cityscapes batches.

    Reads `leftImg8bit/<split>/<city>/*_leftImg8bit.png` and, in `gtFine/<split>/<city>/`, the files
    `*_gtFine_labelIds.png` and `*_gtFine_instanceIds.png`; label maps of train ids are not needed.
    Images are twice as wide as high.

    Args:
        directory: The folder that contains `leftImg8bit` and `gtFine`.
        split: "train" or "val".
        image_size: `(height, width)` of the batches; the paper's are (256, 512).
        batch_size: Number of samples per batch.
        labels: "trainIds": the 19 classes of the benchmark, and 19 for void. "labelIds": ids as in
            the files, with 35 classes as in the authors' weights: 0..6 ("unlabeled" and the like)
            are classes too, and 34, the licence plate, occurs in no file.
        instances: Whether to read instance maps.
        on_bad_file: "error" or "skip", as in `paired_folders`.
        **kwargs: `load_size`, `flip`, `cache` and so on, as in `paired_folders`.

    Returns:
        A dataset of dicts as in `paired_folders`.

    Raises:
        ValueError: if an argument is out of range, a folder is missing or empty, or a file has no
            partner.
        ValueError: when iterated, for a file that cannot be used.

    Example:

    ```python
    train = keras_spade.datasets.cityscapes("cityscapes", flip=True, edges=True, batch_size=4)
    ```

    Reference: Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR
    2016.
    """
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
    info = COUNTINGS["cityscapes" if train_ids else "cityscapes_label_ids"]
    mapping = LabelMapping(void_labels=None)
    if train_ids:
        mapping = LabelMapping(remap=TRAIN_IDS, void_labels=WITHOUT_TRAIN_ID)
    size = (image_size, batch_size)
    return public_files(info, listing, mapping, size, train_ids, on_bad_file, kwargs)
