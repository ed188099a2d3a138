"""CamVid."""

import os
from typing import Any

from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.pairing import (
    IMAGE_SUFFIXES,
    Files,
    existing_directory,
    pair_files,
)
from keras_spade.datasets.public.layout import Layout
from keras_spade.datasets.public.named_dataset import NamedDataset
from keras_spade.datasets.public.public_dataset import public_files, published

VOID_LABEL = 11
PUBLISHED = ("701_StillsRaw_full", "LabeledApproved_full")

CAMVID_GROUPS = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign symbol",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)

# From CamVid's label_colors.txt: name, colour, position of its class among the usual 11.
CAMVID = (
    ("Animal", (64, 128, 64), 9),
    ("Archway", (192, 0, 128), 1),
    ("Bicyclist", (0, 128, 192), 10),
    ("Bridge", (0, 128, 64), 1),
    ("Building", (128, 0, 0), 1),
    ("Car", (64, 0, 128), 8),
    ("CartLuggagePram", (64, 0, 192), 9),
    ("Child", (192, 128, 64), 9),
    ("Column_Pole", (192, 192, 128), 2),
    ("Fence", (64, 64, 128), 7),
    ("LaneMkgsDriv", (128, 0, 192), 3),
    ("LaneMkgsNonDriv", (192, 0, 64), 3),
    ("Misc_Text", (128, 128, 64), 6),
    ("MotorcycleScooter", (192, 0, 192), 10),
    ("OtherMoving", (128, 64, 64), 8),
    ("ParkingBlock", (64, 192, 128), 4),
    ("Pedestrian", (64, 64, 0), 9),
    ("Road", (128, 64, 128), 3),
    ("RoadShoulder", (128, 128, 192), 4),
    ("Sidewalk", (0, 0, 192), 4),
    ("SignSymbol", (192, 128, 128), 6),
    ("Sky", (128, 128, 128), 0),
    ("SUVPickupTruck", (64, 128, 192), 8),
    ("TrafficCone", (0, 0, 64), 2),
    ("TrafficLight", (0, 64, 64), 6),
    ("Train", (192, 64, 128), 8),
    ("Tree", (128, 128, 0), 5),
    ("Truck_Bus", (192, 128, 192), 8),
    ("Tunnel", (64, 0, 64), 1),
    ("VegetationMisc", (192, 192, 0), 5),
    ("Wall", (64, 192, 0), 1),
)
CAMVID_VOID = (0, 0, 0)
# Each of the 11 groups has the colour of one of its classes.
CAMVID_LEADERS = (
    "Sky Building Column_Pole Road Sidewalk Tree SignSymbol Fence Car Pedestrian Bicyclist".split()
)

COLORS = {name: color for name, color, _ in CAMVID}
CITATION = (
    "Brostow, Fauqueur, Cipolla: Semantic Object Classes in Video: A High-Definition Ground Truth "
    "Database, Pattern Recognition Letters 30(2), 2009"
)

COUNTINGS = {
    "camvid": NamedDataset(
        "CamVid, 11 classes",
        "camvid(directory, split)",
        '`<split>/{images,labels}/`, or `<split>/` and `<split>annot/`, or (split "all") '
        "`701_StillsRaw_full/` and `LabeledApproved_full/`",
        CAMVID_GROUPS,
        tuple(COLORS[name] for name in CAMVID_LEADERS),
        "11 in files of ids, black in those of colours",
        CITATION,
    ),
    "camvid_31": NamedDataset(
        "CamVid, all classes",
        'camvid(directory, "all", num_classes=31)',
        "`701_StillsRaw_full/` and `LabeledApproved_full/`",
        tuple(name for name, _, _ in CAMVID),
        tuple(color for _, color, _ in CAMVID),
        "black",
        CITATION,
    ),
}


@published(
    COUNTINGS,
    [
        Layout(("LabeledApproved_full",), "all"),
        Layout(("trainannot",)),
        Layout(("valannot",), "val"),
        Layout(("testannot",), "test"),
    ],
)
def camvid(
    directory: str | os.PathLike,
    split: str = "train",
    image_size: tuple[int, int] = (288, 384),
    batch_size: int = 1,
    *,
    num_classes: int = 11,
    void_class: bool = True,
    on_bad_file: str = "error",
    **kwargs: Any,
) -> Dataset:
    """Makes a dataset of CamVid street scenes.

    Three layouts are supported: `<split>/images/` and `<split>/labels/`; `<split>/` and
    `<split>annot/`, as distributed by the SegNet tutorial; both with ids 0..10 and 11 for void; and
    the published archives `701_StillsRaw_full/*.png` and `LabeledApproved_full/*_L.png` with
    colours, which have no splits.

    Args:
        directory: The folder that contains these.
        split: the name of a split, "train", "val" or "test"; "all" for the published archives.
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples per batch.
        num_classes: 11, the usual groups of classes, or, with colours, all 31.
        void_class: If True, void pixels get the id `num_classes`; if False, they are an error.
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
    train = keras_spade.datasets.camvid("camvid", "train", load_size=(324, 432), flip=True)
    ```

    Reference: Brostow, Fauqueur, Cipolla, "Semantic Object Classes in Video: A High-Definition
    Ground Truth Database", Pattern Recognition Letters 30(2), 2009.
    """
    if num_classes not in (11, 31):
        raise ValueError(f"num_classes must be 11 or 31, got {num_classes!r}")
    directory = existing_directory(directory)
    published = (directory / PUBLISHED[0]).is_dir()
    if published and split != "all":
        raise ValueError(
            f'split must be "all" with {PUBLISHED[0]}, which has no splits, got {split!r}'
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
    info = COUNTINGS["camvid" if num_classes == 11 else "camvid_31"]
    size = (image_size, batch_size)
    return public_files(info, listing, mapping, size, void_class, on_bad_file, kwargs)
