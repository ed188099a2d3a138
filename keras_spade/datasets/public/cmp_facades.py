"""The CMP Facade Database."""

import os
from typing import Any

from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.pairing import Files, Listing, existing_directory, pair_files
from keras_spade.datasets.public.layout import Layout
from keras_spade.datasets.public.named_dataset import NamedDataset
from keras_spade.datasets.public.public_dataset import public_files, published

# From CMP Facades' label_names.txt, there ids 1..12: name, colour in the palette of the files.
CMP_FACADES = (
    ("background", (0, 0, 170)),
    ("facade", (0, 0, 255)),
    ("window", (0, 85, 255)),
    ("door", (0, 170, 255)),
    ("cornice", (0, 255, 255)),
    ("sill", (85, 255, 170)),
    ("balcony", (170, 255, 85)),
    ("blind", (255, 255, 0)),
    ("deco", (255, 170, 0)),
    ("molding", (255, 85, 0)),
    ("pillar", (255, 0, 0)),
    ("shop", (170, 0, 0)),
)

COUNTINGS = {
    "cmp_facades": NamedDataset(
        "CMP Facades",
        "cmp_facades(directory, split)",
        "`base/`, `extended/`: `.jpg` and `.png` of the same stem",
        tuple(name for name, _ in CMP_FACADES),
        tuple(color for _, color in CMP_FACADES),
        "0 in the files, not labelled; the classes are counted from 1",
        "Tylecek, Sara: Spatial Pattern Templates for Recognition of Objects with Regular "
        "Structure, GCPR 2013",
    ),
}


@published(
    COUNTINGS,
    [
        Layout(("base", "extended")),
        Layout(("base",), "base"),
        Layout(("extended",), "extended"),
    ],
)
def cmp_facades(
    directory: str | os.PathLike,
    split: str = "all",
    image_size: tuple[int, int] = (256, 256),
    batch_size: int = 1,
    *,
    void_class: bool = True,
    on_bad_file: str = "error",
    **kwargs: Any,
) -> Dataset:
    """Makes a dataset of the CMP Facade Database, with 12 classes.

    Reads the unpacked archives: in `base/` (378 facades) and `extended/` (228), each photograph
    `.jpg` has a label map `.png` next to it. Its classes are counted from 1; here they start at 0.

    Args:
        directory: The folder that contains `base` and `extended`.
        split: "base", "extended" or "all". The database defines no training and validation sets.
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples per batch.
        void_class: If True, pixels of 0 (unlabelled) get the id 12; if False, they are an error.
        on_bad_file: "error" or "skip", as in `paired_folders`.
        **kwargs: `load_size`, `flip`, `validation_split` and so on, as in `paired_folders`.

    Returns:
        A dataset of dicts as in `paired_folders`.

    Raises:
        ValueError: if an argument is out of range, a folder is missing or empty, or a file has no
            partner.
        ValueError: when iterated, for a file that cannot be used.

    Example:

    ```python
    train = keras_spade.datasets.cmp_facades("facades", "base", load_size=286, flip=True)
    ```

    Reference: Tylecek, Sara, "Spatial Pattern Templates for Recognition of Objects with Regular
    Structure", GCPR 2013.
    """
    if split not in ("base", "extended", "all"):
        raise ValueError(f'split must be "base", "extended" or "all", got {split!r}')
    directory = existing_directory(directory)
    listing = Listing([])
    parts = ("base", "extended") if split == "all" else (split,)
    there = [part for part in ("base", "extended") if (directory / part).is_dir()]
    if there and not set(parts) <= set(there):
        raise ValueError(
            f"split={split!r} reads {' and '.join(parts)}, but {directory} only contains "
            f"{there[0]}: pass split={there[0]!r}"
        )
    for part in parts:
        folder = directory / part
        found = pair_files(
            Files("image", folder, suffixes=(".jpg",)),
            Files("label", folder, suffixes=(".png",)),
            on_bad_file=on_bad_file,
        )
        listing.samples += found.samples
        listing.names += [f"{part}/{name}" for name in found.names]
        listing.problems |= found.problems
    info = COUNTINGS["cmp_facades"]
    mapping = LabelMapping(offset=-1, void_labels=0)
    size = (image_size, batch_size)
    return public_files(info, listing, mapping, size, void_class, on_bad_file, kwargs)
