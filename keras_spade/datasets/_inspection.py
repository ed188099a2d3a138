"""What is in the files of one sample, and whether they can be used."""

from dataclasses import dataclass, field

import numpy as np

from keras_spade.datasets._reading import read_ids, read_image, read_labels, upright
from keras_spade.datasets.label_mapping import color_codes, color_of

MOST_VALUES = 4096
# Of the borders in label maps as drawn, up to 4 % are steps of three ids in order; of smoothed or
# JPEG-compressed ones 17 % and more.
SMOOTH = 0.1
FEWEST_BORDERS = 100


@dataclass
class SampleFacts:
    """What was found: sizes, pixels of each id or colour, what is wrong."""

    name: str
    image_size: tuple | None = None
    counts: dict = field(default_factory=dict)
    colored: bool = False
    smooth: bool = False
    problem: str | None = None


def inspect_sample(samples, number):
    """Reads a sample of a listing as a dataset would, and says what is in it."""
    try:
        files = samples.listing.samples[number]
    except ValueError as error:
        return SampleFacts(f"record {number}", problem=str(error))
    facts = SampleFacts(str(files[0]))
    image = labels = None
    try:
        image = read_image(files[0])
        facts.image_size = image.size[::-1]
    except ValueError as error:
        facts.problem = str(error)
    try:
        labels = read_labels(files[1])
        facts.colored = labels.ndim == 3
        codes = color_codes(labels) if facts.colored else labels
        facts.counts = _counts(codes, facts.colored)
        facts.smooth = not facts.colored and _is_smooth(codes)
    except ValueError as error:
        facts.problem = facts.problem or str(error)
    try:
        if samples.reader is not None:
            samples.reader.load(files)
        elif facts.problem is None:
            image = upright(image, files[0], labels.shape[:2], files[1], as_stored=False)
            for file in files[2:]:
                if (size := read_ids(file).shape) != image.size[::-1]:
                    raise ValueError(
                        f"sizes differ (height x width): {files[0]} is {image.height} x "
                        f"{image.width}, {file} is {size[0]} x {size[1]}"
                    )
    except ValueError as error:
        facts.problem = str(error)
    return facts


def _counts(codes, colored):
    """A dict id, or colour, -> pixels; of very many the first ones."""
    if codes.dtype.kind == "u" and codes.dtype.itemsize <= 2:
        pixels = np.bincount(codes.ravel())
        values = np.flatnonzero(pixels)
        pixels = pixels[values]
    else:
        values, pixels = np.unique(codes, return_counts=True)
    pairs = zip(values[:MOST_VALUES].tolist(), pixels[:MOST_VALUES].tolist(), strict=True)
    return {color_of(value) if colored else value: count for value, count in pairs}


def _is_smooth(ids):
    """Whether ids go over borders in steps, as interpolation and JPEG compression make them."""
    steps = borders = 0
    for array in (ids, ids.T):
        before, here, after = array[:, :-2], array[:, 1:-1], array[:, 2:]
        rising = (before < here) & (here < after)
        falling = (before > here) & (here > after)
        steps += np.count_nonzero(rising | falling)
        borders += np.count_nonzero(before != here)
    return borders >= FEWEST_BORDERS and steps > SMOOTH * borders
