"""Open files, once it is known that opening ends and that what they hold is not too large."""

import io
import os
import stat
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Blob:
    """A file in memory; `str` gives the name for errors."""

    name: str
    content: bytes

    def __str__(self):
        return self.name


def opened(file):
    """What Pillow and NumPy open, once it is known that opening ends."""
    if isinstance(file, Blob):
        return io.BytesIO(file.content)
    status = os.stat(file)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")
    if status.st_size == 0:
        raise OSError("the file is empty")
    return file


def stream_of(file):
    """A stream of the bytes of a file, once it is known that opening ends."""
    source = opened(file)
    return source if isinstance(file, Blob) else open(source, "rb")


def open_array(file):
    """Returns the array in a `.npy` file, which is not read yet; pickled ones are refused."""
    mode = None if isinstance(file, Blob) else "r"
    array = np.load(opened(file), mmap_mode=mode, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        array.close()
        raise ValueError("it holds several arrays, not one")
    return array


def is_npy(file):
    """Whether a file holds an array, by its name."""
    return str(file).lower().endswith(".npy")


def too_many_pixels(size):
    """Whether an image of these two edges is larger than Pillow's limit."""
    limit = Image.MAX_IMAGE_PIXELS
    return limit is not None and size[0] * size[1] > limit
