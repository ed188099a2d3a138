"""Files that hold a photograph and its coloured label map side by side, as pix2pix has them."""

from pathlib import Path

import numpy as np
from PIL import Image

from keras_spade.datasets.folders.pairing import IMAGE_SUFFIXES, files_below
from keras_spade.datasets.folders.reading import is_lossy

LOOKED_AT = 16
# So many times the difference of other columns is that of the two in the middle, where halves meet;
# in pictures twice as wide as high less will do.
SEAM, SEAM_OF_SQUARES = 3, 1.5
# Of so many files.
MOST = 0.8
# Neighbours that differ by so little are of one area.
FLAT = 8


def image_files(folder):
    """All files in a folder, and the folders in it, that may be images, sorted."""
    paths = sorted(files_below(str(folder), unreadable={}))
    return [path for path in paths if path.lower().endswith(IMAGE_SUFFIXES)]


def are_side_by_side(files):
    """Whether most files look like two pictures each, with a seam in the middle."""
    looked = _some(files)
    return bool(looked) and sum(map(_are_two, looked)) >= MOST * len(looked)


def label_side(files):
    """Which half holds the label maps, "left" or "right": the one of larger flat areas."""
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
    except Exception:  # no image: Pillow's decoders raise many kinds
        return False
    height, width, _ = left.shape
    if width < 2:
        return False
    least = SEAM_OF_SQUARES if height == width else SEAM
    inside = (np.abs(np.diff(half, axis=1)).mean() for half in (left, right))
    return bool(np.abs(right[:, 0] - left[:, -1]).mean() > least * max(*inside, 1))


def _flat(half):
    return np.mean(np.abs(np.diff(half, axis=1)).max(axis=-1) <= FLAT)


def looks_lossy(file):
    """Whether a file is of a kind whose compression changes colours."""
    with Image.open(file) as image:
        return is_lossy(image)


def stem_of(file, folder):
    """The path of a file in a folder, without suffix."""
    return Path(file).relative_to(folder).with_suffix("")
