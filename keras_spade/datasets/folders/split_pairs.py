"""Splits files with a photograph and its label map side by side into separate files."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.pairing import existing_directory
from keras_spade.datasets.folders.reading import read_rgb
from keras_spade.datasets.folders.side_by_side import image_files, looks_lossy, stem_of

# Number of pixels compared with the palette at once.
AT_ONCE = 1 << 16


def split_pairs(
    directory: str | os.PathLike,
    into: str | os.PathLike,
    label_side: str = "right",
    palette: Sequence | None = None,
) -> Path:
    """Splits files with a photograph and its label map side by side, as in pix2pix.

    Writes PNGs with the same names and subfolders to `into/images/` and `into/labels/`, for
    `inspect_dataset` and `paired_folders`. Label maps keep their colours. The folder `into` is
    created only when everything has been written.

    JPEG changes the colours of label maps, especially at the borders of areas, so JPEG files are
    refused. With `palette`, each pixel becomes the class of the nearest colour, and label maps
    contain ids: correct within areas, but a border between two classes may get pixels of a third
    class, whose colour lies between the two. If the dataset is also published with separate label
    maps, those are better (CMP Facades: `cmp_facades`).

    Args:
        directory: the folder with the files, also in subfolders.
        into: the folder to create.
        label_side: "left" or "right", the half with the label map.
        palette: a sequence of colours `(r, g, b)`; the position is the class.

    Returns:
        The path of `into`.

    Raises:
        ValueError: if an argument is out of range, `into` exists, a file cannot be read or split in
            the middle, or is a JPEG without a palette. It names the file.

    Example:

    ```python
    keras_spade.datasets.split_pairs("maps/train", "maps_split", label_side="right")
    keras_spade.datasets.inspect_dataset("maps_split")
    ```
    """
    if label_side not in ("left", "right"):
        raise ValueError(f'label_side must be "left" or "right", got {label_side!r}')
    if isinstance(palette, (str, dict)):
        raise ValueError(f"palette must be a sequence of colours, got {palette!r}")
    colors = None if palette is None else list(LabelMapping(palette=palette).colors)
    if colors is not None and len(colors) > 256:
        raise ValueError(f"palette must contain at most 256 colours, got {len(colors)}")
    directory, into = existing_directory(directory), Path(into).expanduser().absolute()
    if into.exists():
        raise ValueError(f"into must be a folder that does not exist yet, got {str(into)!r}")
    files = image_files(directory)
    if not files:
        raise ValueError(f"no image files in {directory}")
    partial = into.with_name(f".partial_{into.name}")
    shutil.rmtree(partial, ignore_errors=True)  # Left by a process that was killed.
    try:
        written = {}
        for file in files:
            stem = stem_of(file, directory)
            other = written.setdefault(stem, file)
            if other != file:
                raise ValueError(f"two files with the same stem: {other} and {file}")
            image, labels = _image_and_labels(file, label_side, colors)
            for kind, half in (("images", image), ("labels", labels)):
                path = partial / kind / stem.with_name(f"{stem.name}.png")
                path.parent.mkdir(parents=True, exist_ok=True)
                half.save(path)
        os.replace(partial, into)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return into


def _image_and_labels(file, label_side, colors):
    """The Pillow images of a photograph and of its label map."""
    image = read_rgb(file)
    if image.width % 2:
        raise ValueError(f"{file}: a width of {image.width} pixels cannot be split in the middle")
    if colors is None and looks_lossy(file):
        raise ValueError(
            f"{file}: lossy compression, such as JPEG, has changed the colours of the label map. "
            "With palette=[...], the colours of the classes, each pixel becomes the nearest; label "
            "maps published as separate files are better"
        )
    middle = image.width // 2
    halves = [image.crop((x, 0, x + middle, image.height)) for x in (0, middle)]
    photograph, labels = halves if label_side == "right" else halves[::-1]
    return photograph, labels if colors is None else _nearest(labels, colors)


def _nearest(labels, colors):
    """The label map of the classes with the nearest colours."""
    colors = np.array(colors, np.int32)
    pixels = np.asarray(labels, np.int32).reshape(-1, 3)
    ids = [
        np.square(part[:, None] - colors).sum(axis=-1).argmin(axis=-1)
        for part in np.array_split(pixels, -(-len(pixels) // AT_ONCE))
    ]
    ids = np.concatenate(ids).astype(np.uint8)
    return Image.fromarray(ids.reshape(labels.height, labels.width))
