"""One picture of some samples: photographs beside their label maps."""

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from keras_spade.datasets.folders.pairing import printable
from keras_spade.datasets.folders.photographs import read_raster
from keras_spade.datasets.folders.raster import Raster
from keras_spade.datasets.folders.reading import read_labels, upright
from keras_spade.files import replacing
from keras_spade.label_colors import label_colors

HEIGHT = 160
WIDEST = 640
LINE = 14


def draw_contact_sheet(path, subject, numbers):
    """Draws the samples of a `Subject` of these numbers, each with its name, into a PNG."""
    rows = [_row(subject, number) for number in numbers]
    sheet = Image.new("RGB", (max(row.width for row in rows), len(rows) * rows[0].height), "white")
    for place, row in enumerate(rows):
        sheet.paste(row, (0, place * row.height))
    with replacing(path) as partial:
        sheet.save(partial, "PNG")


def _row(subject, number):
    files = subject.listing.samples[number]
    if subject.reader is None:
        labels = read_labels(files[1])
        image = read_raster(files[0])
        image = upright(image, files[0], labels.shape[:2], files[1], as_stored=False)
        palette = image_range = None
    else:
        image, (labels, *_) = subject.reader.read(files)
        palette = subject.info and subject.info.palette
        image_range = subject.reader.image_range
    image = image.shown(image_range) if isinstance(image, Raster) else image
    parts = [_scaled(image, Image.Resampling.BICUBIC)]
    parts.append(_scaled(Image.fromarray(_colored(labels, palette)), Image.Resampling.NEAREST))
    row = Image.new("RGB", (sum(part.width + 4 for part in parts), HEIGHT + LINE), "white")
    left = 0
    for part in parts:
        row.paste(part, (left, LINE))
        left += part.width + 4
    name = printable(os.path.join(*Path(str(files[0])).parts[-2:])).encode("ascii", "replace")
    ImageDraw.Draw(row).text((2, 1), name.decode(), fill="black")
    return row


def _scaled(image, how):
    """The image in the height of a row; what is very wide, in its greatest width."""
    scale = min(HEIGHT / image.height, WIDEST / image.width)
    size = (image.width * scale, image.height * scale)
    return image.resize(tuple(max(1, round(edge)) for edge in size), how)


def _colored(labels, palette):
    """uint8 (H, W, 3) of ids, each in its colour, what has none black, or of colours."""
    if labels.ndim == 3:
        return labels
    if palette is None:
        palette = label_colors(min(int(labels.max()) + 1, 4096))
    palette = np.concatenate([np.asarray(palette, np.uint8), np.zeros((1, 3), np.uint8)])
    known = (labels >= 0) & (labels < len(palette) - 1)
    return palette[np.where(known, labels, len(palette) - 1)]
