"""Colours of label files: those that are grey, and those of 16 bits that are really of 8."""

import sys

import numpy as np

# What 16 bits hold of a number of 8: 255 becomes 65535.
FROM_16_BITS = 257
# Of colours of 16 bits Pillow gives the upper bytes; in the other order of bytes, the lower ones.
OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def is_grey(colors):
    """Whether all colours (H, W, 3) have three channels of the same value."""
    return not np.any(colors[..., 1:] != colors[..., :1])


def grey_ids(colors, file):
    """The ids (H, W) that grey colours (H, W, 3) are.

    Raises:
        ValueError: naming the file, if there are other colours.
    """
    others = np.any(colors[..., 1:] != colors[..., :1], axis=-1)
    if others.any():
        raise ValueError(
            f'{file}: with palette="grey", ids must be the same in all three channels; '
            f"{100 * others.mean():.2g} % of the pixels have another colour"
        )
    return np.ascontiguousarray(colors[..., 0])


def refuse_wide_colors(upper, lower):
    """Refuses colours of 16 bits that are not those of 8 bits, each value 257 times one of these.

    Args:
        upper: the loaded Pillow image, of the upper bytes.
        lower: the same file, opened once more.

    Raises:
        ValueError: if the lower bytes are others than the upper ones.
    """
    for place, tile in enumerate(lower.tile):
        alone = isinstance(tile.args, str)
        raw, *others = (tile.args,) if alone else tile.args
        raw = raw[:-1] + OTHER_ORDER[raw[-1]]
        lower.tile[place] = tile._replace(args=raw if alone else (raw, *others))
    wrong = np.any(np.asarray(lower) != np.asarray(upper), axis=-1)
    if wrong.any():
        raise ValueError(
            "its colours have 16 bits a channel; label maps in colours have 8. Values of 8 bits "
            f"times {FROM_16_BITS} would do; {100 * wrong.mean():.2g} % of the pixels have others"
        )


def colors_of_8_bits(colors):
    """uint8 colours (H, W, 3) of integers; those of 16 bits may be 257 times as large."""
    if colors.max() > 255 and not np.any(colors % FROM_16_BITS):
        colors = colors // FROM_16_BITS
    if colors.min() < 0 or colors.max() > 255:
        raise ValueError(
            f"its colours must be 0..255, or {FROM_16_BITS} times that; got {colors.min()} to "
            f"{colors.max()}"
        )
    return np.array(colors, np.uint8)
