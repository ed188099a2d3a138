"""Colours in label files: grey ones, and 8-bit colours stored with 16 bits."""

import numpy as np

from keras_spade.datasets.folders.opening import File

# Ratio of a 16-bit colour to the 8-bit one it stands for: 255 becomes 65535.
FROM_16_BITS = 257
# Ratios in label files; with 256, an 8-bit colour was shifted.
FACTORS = (256, FROM_16_BITS)


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


def colors_of_8_bits(colors: np.ndarray) -> np.ndarray:
    """uint8 colours (H, W, 3) from integers; all may be 256 or 257 times as large."""
    others = ""
    if colors.max() > 255:
        wrong = {factor: np.any(colors % factor, axis=-1).mean() for factor in FACTORS}
        factor = min(wrong, key=wrong.get)
        if not wrong[factor]:
            colors = colors // factor
        others = f"; {100 * wrong[factor]:.2g} % of the pixels are not of this kind"
    if colors.min() < 0 or colors.max() > 255:
        raise ValueError(
            f"its colours must be in 0..255, or {' or '.join(map(str, FACTORS))} times that; got "
            f"{colors.min()} to {colors.max()}{others}"
        )
    return np.array(colors, np.uint8)
