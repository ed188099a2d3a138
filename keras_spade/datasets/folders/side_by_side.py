"""Files with a photograph and its coloured label map side by side, as in pix2pix."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from keras_spade.datasets.folders.files_below import files_below
from keras_spade.datasets.folders.pairing import IMAGE_SUFFIXES
from keras_spade.datasets.folders.reading import is_lossy

LOOKED_AT = 16
# Least ratio of the difference between the two middle columns, where the halves meet, to that of
# other columns; less is enough for pictures twice as wide as high.
SEAM, SEAM_OF_SQUARES = 3, 1.5
# A noisy photograph hides the seam. Columns on each side of it, and the least difference of the
# shares of flat areas there, of a label map and a texture.
NEAR, UNLIKE = 16, 0.5
# Least share of the files with such a seam.
MOST = 0.8
# Largest difference between neighbours in a flat area.
FLAT = 8


def image_files(folder: str | os.PathLike) -> list[str]:
    """All files in a folder and its subfolders that may be images, sorted."""
    paths = sorted(files_below(str(folder), unreadable={}))
    return [path for path in paths if path.lower().endswith(IMAGE_SUFFIXES)]


def are_side_by_side(files: Sequence[str]) -> bool:
    """Whether most files look like two pictures with a seam in the middle."""
    looked = _some(files)
    return bool(looked) and sum(map(_are_two, looked)) >= MOST * len(looked)


def label_side(files: Sequence[str]) -> str:
    """Which half has the label maps, "left" or "right": the one with larger flat areas."""
    flat = np.mean([[_flat(half) for half in _halves(file)] for file in _some(files)], axis=0)
    return "left" if flat[0] > flat[1] + 0.1 else "right"


def _some(files):
    return files[:: max(1, len(files) // LOOKED_AT)][:LOOKED_AT]


def _halves(file):
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB"), np.int16)
    middle = pixels.shape[1] // 2
    return pixels[:, :middle], pixels[:, middle : 2 * middle]


def _are_two(file):
    try:
        left, right = _halves(file)
    except Exception:  # not an image; Pillow's decoders raise many types
        return False
    height, width, _ = left.shape
    if width < 2:
        return False
    near = min(NEAR, width)
    if abs(_flat(left[:, -near:]) - _flat(right[:, :near])) > UNLIKE:
        return True
    least = SEAM_OF_SQUARES if height == width else SEAM
    inside = (np.abs(np.diff(half, axis=1)).mean() for half in (left, right))
    return bool(np.abs(right[:, 0] - left[:, -1]).mean() > least * max(*inside, 1))


def flat_share(file: str | os.PathLike) -> float:
    """The share of an image's pixels that resemble their neighbour; 0 if it cannot be read."""
    try:
        with Image.open(file) as image:
            return float(_flat(np.asarray(image.convert("RGB"), np.int16)))
    except Exception:  # not an image; Pillow's decoders raise many types
        return 0.0


def _flat(half):
    return np.mean(np.abs(np.diff(half, axis=1)).max(axis=-1) <= FLAT)


def looks_lossy(file: str | os.PathLike) -> bool:
    """Whether a file has a format whose compression changes colours."""
    with Image.open(file) as image:
        return is_lossy(image)


def stem_of(file: str | os.PathLike, folder: str | os.PathLike) -> Path:
    """The path of a file relative to a folder, without suffix."""
    return Path(file).relative_to(folder).with_suffix("")
