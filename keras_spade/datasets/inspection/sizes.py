"""Suggests sizes for loading images, with regard to the ratio of width to height."""

import math
from collections.abc import Collection
from dataclasses import dataclass, field

SHORT = 256
# A generator of the usual depth doubles the size five times.
STEP = 32
# Ratio of the size before the crop to that after it.
MARGIN = 286 / 256
# Smaller differences in aspect ratio are ignored; less stretching is not mentioned.
ALIKE, UNSEEN = 1.25, 1.02
WIDEST = 4


@dataclass(frozen=True)
class Sizes:
    """Arguments of `paired_folders` for sizes, with notes on them."""

    arguments: dict
    notes: list = field(default_factory=list)


def suggest_sizes(image_sizes: Collection[tuple[int, int]]) -> Sizes:
    """The `Sizes` for a folder with images of the given sizes `(height, width)`.

    Images with similar ratios get an `image_size` close to that ratio; others keep their ratios and
    are cropped.
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


def keep_ratios(image_sizes: Collection[tuple[int, int]], image_size: tuple[int, int]) -> Sizes:
    """The `Sizes` that keep the ratios of images, and crop them to `image_size`."""
    height, width = image_size
    least = max((max(height / h, width / w) * min(h, w) for h, w in image_sizes), default=SHORT)
    load_size = math.ceil(round(MARGIN * least, 6))
    note = (
        f"{_as_text(image_sizes)}: resize='scale_short_side' keeps their shape, and a crop shows a "
        "part of each; without resize and load_size, all would be stretched to image_size"
    )
    arguments = {"resize": "scale_short_side", "load_size": load_size}
    return Sizes({"image_size": image_size, **arguments}, [note])


def vary(image_sizes: Collection[tuple[int, int]]) -> bool:
    """Whether the ratios differ so much that one size would stretch some images."""
    low, high = _ratios(image_sizes)
    return high > ALIKE * low


def stretched(
    image_sizes: Collection[tuple[int, int]], image_size: tuple[int, int], unseen: float = UNSEEN
) -> list[str]:
    """Notes, as a list, on images that are stretched to a size."""
    low, high = _ratios(image_sizes)
    ratio = image_size[1] / image_size[0]
    most = max(high / ratio, ratio / low)
    if most <= unseen:
        return []
    return [
        f"{_as_text(image_sizes)}; with image_size={image_size}, they are stretched by up to "
        f"{100 * (most - 1):.0f} %. resize='scale_short_side' keeps their shape, and crops"
    ]


def _ratios(image_sizes):
    """The smallest and largest ratio of width to height."""
    ratios = [width / height for height, width in image_sizes] or [1]
    return min(ratios), max(ratios)


def _as_text(image_sizes):
    low, high = (f"{ratio:.2g}" for ratio in _ratios(image_sizes))
    between = low if low == high else f"{low} to {high}"
    return f"the images are {between} times as wide as high"
