"""Pictures of the same label maps, one column per generator, with its name above it."""

import textwrap

import numpy as np
from PIL import Image, ImageDraw

from keras_spade import callbacks

LINE = 12  # Pixels of a line of text.
LETTER = 6


def side_by_side(labels, columns, palette, rows):
    """Draws label maps and their pictures.

    Args:
        labels: integer `(count, H, W)`.
        columns: uint8 images `(count, H, W, channels)` by name.
        palette: colours of the classes, or `None`.
        rows: number of maps, spread over all.

    Returns:
        A Pillow image.
    """
    picked = np.unique(np.linspace(0, len(labels) - 1, rows).round().astype(int))
    names = ["label map", *columns]
    width = labels.shape[2] + 2
    grid = callbacks.draw_grid(
        labels[picked], *(x[picked] for x in columns.values()), palette=palette
    )
    texts = [textwrap.wrap(name, max(width // LETTER, 1)) for name in names]
    header = LINE * max(map(len, texts)) + 4
    picture = Image.new("RGB", (grid.shape[1], grid.shape[0] + header), "white")
    picture.paste(Image.fromarray(grid), (0, header))
    draw = ImageDraw.Draw(picture)
    for i, lines in enumerate(texts):
        draw.multiline_text((i * width, 1), "\n".join(lines), fill="black", spacing=1)
    return picture
