"""The contents of one sample's files, and whether they can be used."""

from dataclasses import dataclass, field, replace

import numpy as np

from keras_spade.datasets.folders.colors import is_grey
from keras_spade.datasets.folders.label_mapping import color_codes, color_of
from keras_spade.datasets.folders.photographs import read_raster
from keras_spade.datasets.folders.raster import Raster
from keras_spade.datasets.folders.reading import (
    palette_of,
    read_ids,
    read_labels,
    sizes_differ,
    upright,
)
from keras_spade.datasets.folders.smoothing import refuse_smooth
from keras_spade.datasets.folders.wide_colors import narrowed
from keras_spade.datasets.inspection.subject import Subject

MOST_VALUES = 4096
MOST_COLORS = 256


@dataclass
class SampleFacts:
    """What was found in a sample: sizes, pixels of each id or colour, and the problem if any."""

    name: str
    image_size: tuple | None = None
    image_kind: tuple = (3, "uint8")  # channels, data type
    image_range: tuple | None = None  # smallest and largest value
    counts: dict = field(default_factory=dict)
    palette: dict = field(default_factory=dict)  # of an indexed label map: id -> colour
    colored: bool = False
    cut: bool = False
    rough: bool = False
    problem: str | None = None


def inspect_sample(subject: Subject, number: int) -> SampleFacts:
    """Reads a sample of a `Subject` as a dataset would, and returns its facts."""
    try:
        files = subject.listing.samples[number]
    except ValueError as error:
        return SampleFacts(f"record {number}", problem=str(error))
    facts = SampleFacts(str(files[0]))
    image = labels = None
    reader = subject.reader
    try:
        image = (read_raster if reader is None else reader.read_image)(files[0])
        facts.image_size = image.size[::-1]
        if isinstance(image, Raster):
            image = replace(image, pixels=narrowed(image.pixels))
            facts.image_kind = (image.pixels.shape[-1], image.pixels.dtype.name)
            facts.image_range = image.extremes()
    except ValueError as error:
        facts.problem = str(error)
    try:
        labels = (read_labels if reader is None else reader.read_labels)(files[1])
        facts.colored = labels.ndim == 3
        if reader is None:
            ids = labels[..., 0] if facts.colored and is_grey(labels) else labels
            facts.rough = refuse_smooth(files[1], ids).are_rough
        codes = color_codes(labels) if facts.colored else labels
        counts = _counts(codes, facts.colored)
        if reader is None and facts.colored and len(counts) > MOST_COLORS:
            raise ValueError(
                f"{files[1]}: {len(counts)} colours or more are too many for a label map; they may "
                "result from smoothing or JPEG compression"
            )
        facts.counts, facts.cut = counts, sum(counts.values()) < codes.size
        if not facts.colored:
            colors = palette_of(files[1])
            facts.palette = {value: colors[value] for value in counts if value in colors}
        if facts.problem is None and reader is not None:
            image, maps = reader.checked(files, image, labels)
            facts.image_size = image.size[::-1]
            reader.resized(files, image, maps)
        elif facts.problem is None:
            image = upright(image, files[0], labels.shape[:2], files[1], as_stored=False)
            facts.image_size = image.size[::-1]
            for file in files[2:]:
                if (size := read_ids(file).shape) != image.size[::-1]:
                    raise ValueError(sizes_differ(image, files[0], size, file))
    except ValueError as error:
        facts.problem = "; ".join(filter(None, [facts.problem, str(error)]))
    return facts


def _counts(codes, colored):
    """A dict id or colour -> number of pixels; only the first ones of very many."""
    if codes.dtype.kind == "u" and codes.dtype.itemsize <= 2:
        pixels = np.bincount(codes.ravel())
        values = np.flatnonzero(pixels)
        pixels = pixels[values]
    else:
        values, pixels = np.unique(codes, return_counts=True)
    pairs = zip(values[:MOST_VALUES].tolist(), pixels[:MOST_VALUES].tolist(), strict=True)
    return {color_of(value) if colored else value: count for value, count in pairs}
