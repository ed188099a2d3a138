"""Opens files after checking that opening will not block and that images are not too large."""

import io
import os
import stat
import threading
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image

# Python 3.11 cannot parse in several threads at a time, and a `.npy` header is parsed: "AST
# constructor recursion depth mismatch".
HEADERS = threading.Lock()
# Excludes formats for which Pillow starts other programs.
OPENED_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


@dataclass(frozen=True)
class Blob:
    """A file in memory; `str` returns its name for error messages."""

    name: str
    content: bytes

    def __str__(self):
        return self.name


File = str | os.PathLike | Blob


def opened(file: File) -> str | os.PathLike | io.BytesIO:
    """A file or stream that Pillow and NumPy can open without blocking."""
    if isinstance(file, Blob):
        return io.BytesIO(file.content)
    status = os.stat(file)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")
    if status.st_size == 0:
        raise OSError("the file is empty")
    return file


def stream_of(file: File) -> BinaryIO:
    """A binary stream of a file, after the checks of `opened`."""
    source = opened(file)
    return source if isinstance(file, Blob) else open(source, "rb")


def open_array(file: File) -> np.ndarray:
    """Returns the array in a `.npy` file without reading it yet; refuses pickled arrays."""
    mode = None if isinstance(file, Blob) else "r"
    with HEADERS:
        array = np.load(opened(file), mmap_mode=mode, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        array.close()
        raise ValueError("it contains several arrays, not one")
    return array


def is_npy(file: File) -> bool:
    """Whether a file contains an array, judging by its name."""
    return str(file).lower().endswith(".npy")


def too_many_pixels(size: tuple[int, int]) -> bool:
    """Whether an image of this size exceeds Pillow's limit."""
    limit = Image.MAX_IMAGE_PIXELS
    return limit is not None and size[0] * size[1] > limit
