"""Sizes to load images of these sizes in, which mind the ratio of width to height."""

import math
from dataclasses import dataclass, field

SHORT = 256
# The generator of the usual depth doubles five times.
STEP = 32
# What is loaded before the crop is so much larger.
MARGIN = 286 / 256
# Ratios of width to height that differ by less are taken for one; stretching by less goes unsaid.
ALIKE, UNSEEN = 1.25, 1.02
WIDEST = 4


@dataclass(frozen=True)
class Sizes:
    """Arguments of `paired_folders` about sizes, and what to know of them."""

    arguments: dict
    notes: list = field(default_factory=list)


def suggest_sizes(image_sizes):
    """The `Sizes` for a folder whose images have these sizes `(height, width)`.

    Images of one ratio get an `image_size` of about that; others keep theirs and are cropped.
    """
    low, high = _ratios(image_sizes)
    ratio = math.sqrt(low * high)
    if high > ALIKE * low or not 1 / WIDEST <= ratio <= WIDEST:
        return keep_ratios(image_sizes, (SHORT, SHORT))
    size = (SHORT, SHORT)
    if high > ALIKE or low < 1 / ALIKE:
        long = STEP * round(SHORT * max(ratio, 1 / ratio) / STEP)
        size = (SHORT, long) if ratio > 1 else (long, SHORT)
    arguments = {"image_size": size, "load_size": tuple(round(MARGIN * edge) for edge in size)}
    return Sizes(arguments, stretched(image_sizes, size))


def keep_ratios(image_sizes, image_size):
    """The `Sizes` with which images keep their ratios, and are cropped to `image_size`."""
    height, width = image_size
    least = max((max(height / h, width / w) * min(h, w) for h, w in image_sizes), default=SHORT)
    load_size = math.ceil(round(MARGIN * least, 6))
    note = (
        f"{_told(image_sizes)}: resize='scale_short_side' keeps their shape, and a crop shows a "
        "part of each; without it and load_size all would be stretched to image_size"
    )
    arguments = {"resize": "scale_short_side", "load_size": load_size}
    return Sizes({"image_size": image_size, **arguments}, [note])


def vary(image_sizes):
    """Whether the ratios of images differ so much that one size stretches some of them."""
    low, high = _ratios(image_sizes)
    return high > ALIKE * low


def stretched(image_sizes, image_size, unseen=UNSEEN):
    """What is to be said, as a list of notes, of images that are stretched to a size."""
    low, high = _ratios(image_sizes)
    ratio = image_size[1] / image_size[0]
    most = max(high / ratio, ratio / low)
    if most <= unseen:
        return []
    return [
        f"{_told(image_sizes)}; with image_size={image_size} they are stretched by up to "
        f"{100 * (most - 1):.0f} %. resize='scale_short_side' keeps their shape, and crops"
    ]


def _ratios(image_sizes):
    """The smallest and the largest width as a part of the height."""
    ratios = [width / height for height, width in image_sizes] or [1]
    return min(ratios), max(ratios)


def _told(image_sizes):
    low, high = (f"{ratio:.2g}" for ratio in _ratios(image_sizes))
    between = low if low == high else f"{low} to {high}"
    return f"the images are {between} times as wide as high"
