"""A picture of some samples: photographs next to their label maps, with a legend."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from keras_spade.datasets.folders.pairing import printable
from keras_spade.datasets.folders.photographs import read_raster
from keras_spade.datasets.folders.raster import Raster
from keras_spade.datasets.folders.reading import read_labels, upright
from keras_spade.datasets.inspection.subject import Subject
from keras_spade.files import replacing
from keras_spade.label_colors import label_colors

HEIGHT = 160
WIDEST = 640
LINE = 14
# The width of an entry of the legend.
ENTRY = 130


def draw_contact_sheet(
    path: str | os.PathLike, subject: Subject, numbers: Sequence[int], legend: dict[Any, str]
) -> None:
    """Draws samples into a PNG, each with its name, above a legend of the colours.

    Colours are those of `ImageGrid`: the published ones of a named dataset, with void in black, or
    else `label_colors`. Without a reader that maps them to class ids, the files' values are drawn.

    Args:
        path: the PNG file.
        subject: the `Subject`.
        numbers: numbers of the samples.
        legend: dict class id, or value in the files, -> text.
    """
    rows = [_row(subject, number) for number in numbers]
    width = max(row.width for row in rows)
    columns = max(1, width // ENTRY)
    top = len(rows) * rows[0].height
    sheet = Image.new("RGB", (width, top + -(-len(legend) // columns) * LINE), "white")
    for place, row in enumerate(rows):
        sheet.paste(row, (0, place * row.height))
    draw = ImageDraw.Draw(sheet)
    for place, (value, text) in enumerate(legend.items()):
        left, above = place % columns * ENTRY, top + place // columns * LINE
        color = tuple(_colored(np.array([[value]]), _palette(subject)).ravel().tolist())
        draw.rectangle((left + 2, above + 2, left + LINE - 2, above + LINE - 2), color, "black")
        draw.text((left + LINE + 2, above + 1), _ascii(text)[: ENTRY // 7], fill="black")
    with replacing(path) as partial:
        sheet.save(partial, "PNG")


def legend_of(subject: Subject, pixels: Iterable) -> dict[Any, str]:
    """A dict class id -> text, with void last, for the values in the files; see `Subject`."""
    if subject.reader is None:
        return {value: str(value) for value in pixels}
    values = {}
    for value in pixels:
        class_id = subject.class_of(value)
        if class_id is not None:
            values.setdefault(class_id, []).append(value)
    legend = {}
    for class_id, found in sorted(values.items()):
        origin = "" if found == [class_id] else f" (in files {found[0]})"
        names = ("",) * subject.reader.num_classes
        if subject.info is not None:
            names, origin = subject.info.class_names, ""
        legend[class_id] = f"{class_id} {(*names, 'void')[class_id]}{origin}".replace("  ", " ")
    return legend


def _row(subject, number):
    files = subject.listing.samples[number]
    try:
        image, (labels, *_) = subject.reader.read(files)
    except (AttributeError, ValueError):  # no reader, or one that does not know these ids
        labels = read_labels(files[1])
        image = read_raster(files[0])
        image = upright(image, files[0], labels.shape[:2], files[1], as_stored=False)
    image_range = subject.reader and subject.reader.image_range
    image = image.shown(image_range) if isinstance(image, Raster) else image
    parts = [_scaled(image, Image.Resampling.BICUBIC)]
    colored = Image.fromarray(_colored(labels, _palette(subject)))
    parts.append(_scaled(colored, Image.Resampling.NEAREST))
    row = Image.new("RGB", (sum(part.width + 4 for part in parts), HEIGHT + LINE), "white")
    left = 0
    for part in parts:
        row.paste(part, (left, LINE))
        left += part.width + 4
    name = _ascii(printable(os.path.join(*Path(str(files[0])).parts[-2:])))
    ImageDraw.Draw(row).text((2, 1), name, fill="black")
    return row


def _palette(subject):
    return subject.info and subject.info.palette


def _ascii(text):
    return text.encode("ascii", "replace").decode()


def _scaled(image, how):
    """The image, scaled to the height of a row and at most to the greatest width."""
    scale = min(HEIGHT / image.height, WIDEST / image.width)
    size = (image.width * scale, image.height * scale)
    return image.resize(tuple(max(1, round(edge)) for edge in size), how)


def _colored(labels, palette):
    """uint8 (H, W, 3) of colours, or of ids in their colours; ids without a colour are black."""
    if labels.ndim == 3:
        return labels.astype(np.uint8)
    if palette is None:
        palette = label_colors(min(int(labels.max()) + 1, 4096))
    palette = np.concatenate([np.asarray(palette, np.uint8), np.zeros((1, 3), np.uint8)])
    known = (labels >= 0) & (labels < len(palette) - 1)
    return palette[np.where(known, labels, len(palette) - 1)]
