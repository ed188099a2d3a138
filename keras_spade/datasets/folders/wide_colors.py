"""Images with 16 bits per channel: all their bits, and whether they only need 8."""

import sys

import numpy as np
from PIL import Image

from keras_spade.datasets.folders.colors import FROM_16_BITS
from keras_spade.datasets.folders.opening import OPENED_FORMATS, File, opened, stream_of
from keras_spade.datasets.has_tensorflow import has_tensorflow

# With the byte order swapped, Pillow reads the lower bytes.
OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def wide_colors(file: File, image: Image.Image) -> np.ndarray:
    """All 16 bits of the colours in a file, uint16 `(H, W, channels)`, with alpha if it has it.

    Args:
        file: a path or a `Blob`.
        image: the Pillow image from `open_image`, which has the upper bytes.

    Raises:
        ValueError: for a grey PNG with alpha if TensorFlow is not installed.
    """
    if image.info["wide"].startswith("LA"):
        return _grey_with_alpha(file)
    with Image.open(opened(file), formats=OPENED_FORMATS) as lower:
        for place, tile in enumerate(lower.tile):
            alone = isinstance(tile.args, str)
            raw, *others = (tile.args,) if alone else tile.args
            raw = raw[:-1] + OTHER_ORDER[raw[-1]]
            lower.tile[place] = tile._replace(args=raw if alone else (raw, *others))
        return np.asarray(image).astype(np.uint16) << 8 | np.asarray(lower)


def narrowed(pixels: np.ndarray) -> np.ndarray:
    """The 8-bit pixels that were stored with 16 bits, each times 257; others unchanged."""
    if pixels.dtype != np.uint16 or np.any(pixels % FROM_16_BITS):
        return pixels
    return (pixels // FROM_16_BITS).astype(np.uint8)


def eight_bits(file: File, pixels: np.ndarray) -> np.ndarray:
    """The uint8 pixels of an image that is read without a range.

    Raises:
        ValueError: if they need more than 8 bits; it names the file and ranges to choose from.
    """
    pixels = narrowed(pixels)
    if pixels.dtype != np.uint8:
        raise ValueError(
            f"{file}: its pixels are {pixels.dtype}, {pixels.min()}..{pixels.max()}, not 8 bits "
            "per channel; set image_range=(low, high), the values that become -1 and 1"
            + _ranges(pixels)
        )
    return pixels


def _ranges(pixels):
    """The ranges of the bits that unsigned pixels use, and of all their bits."""
    if pixels.dtype != np.uint16:
        return ""
    used = 2 ** int(pixels.max()).bit_length() - 1
    return ", such as " + " or ".join(f"(0, {high})" for high in sorted({used, 2**16 - 1}))


def _grey_with_alpha(file):
    if not has_tensorflow():
        raise ValueError(
            f"{file}: reading a 16-bit grey PNG with alpha needs TensorFlow, which is not "
            "installed: pip install tensorflow, or save it without alpha, or as .npy"
        )
    import tensorflow as tf

    with stream_of(file) as stream:
        return tf.io.decode_png(stream.read(), dtype=tf.uint16).numpy()
