"""Colours in label files: grey ones, and 8-bit colours stored with 16 bits."""

import sys

import numpy as np
from PIL import Image

from keras_spade.datasets.folders.opening import File

# Ratio of a 16-bit colour to the 8-bit one it stands for: 255 becomes 65535.
FROM_16_BITS = 257
# Pillow reads the upper bytes of 16-bit colours; with the byte order swapped, the lower ones.
OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def is_grey(colors: np.ndarray) -> bool:
    """Whether all colours (H, W, 3) have the same value in all three channels."""
    return not np.any(colors[..., 1:] != colors[..., :1])


def grey_ids(colors: np.ndarray, file: File) -> np.ndarray:
    """The ids (H, W) represented by grey colours (H, W, 3).

    Raises:
        ValueError: if there are other colours; it names the file.
    """
    others = np.any(colors[..., 1:] != colors[..., :1], axis=-1)
    if others.any():
        raise ValueError(
            f'{file}: with palette="grey", ids must be the same in all three channels; '
            f"{100 * others.mean():.2g} % of the pixels have another colour"
        )
    return np.ascontiguousarray(colors[..., 0])


def refuse_wide_colors(upper: Image.Image, lower: Image.Image) -> None:
    """Refuses 16-bit colours unless every value is 257 times an 8-bit value.

    Args:
        upper: the loaded Pillow image, which has the upper bytes.
        lower: the same file, opened again.

    Raises:
        ValueError: if the lower bytes differ from the upper ones.
    """
    for place, tile in enumerate(lower.tile):
        alone = isinstance(tile.args, str)
        raw, *others = (tile.args,) if alone else tile.args
        raw = raw[:-1] + OTHER_ORDER[raw[-1]]
        lower.tile[place] = tile._replace(args=raw if alone else (raw, *others))
    wrong = np.any(np.asarray(lower) != np.asarray(upper), axis=-1)
    if wrong.any():
        raise ValueError(
            "its colours have 16 bits per channel; coloured label maps need 8. 8-bit values times "
            f"{FROM_16_BITS} are accepted, but {100 * wrong.mean():.2g} % of the pixels have others"
        )


def colors_of_8_bits(colors: np.ndarray) -> np.ndarray:
    """uint8 colours (H, W, 3) from integers; 16-bit colours may be 257 times as large."""
    if colors.max() > 255 and not np.any(colors % FROM_16_BITS):
        colors = colors // FROM_16_BITS
    if colors.min() < 0 or colors.max() > 255:
        raise ValueError(
            f"its colours must be in 0..255, or {FROM_16_BITS} times that; got {colors.min()} to "
            f"{colors.max()}"
        )
    return np.array(colors, np.uint8)
