"""Pictures of label maps, paintings and photographs side by side."""

import numpy as np

from keras_spade.images import to_bytes
from keras_spade.label_colors import label_colors


def draw_grid(labels, *columns, palette=None, gap=2):
    """Draws one row a sample: label map, then one picture a column.

    Args:
        labels: integer ids `(batch, H, W)`, or a float map `(batch, H, W, k)` whose largest channel
            is shown.
        *columns: image batches `(batch, H, W, 3)`, uint8 or float in [-1, 1].
        palette: uint8 `(classes, 3)`; `None`: `label_colors`. Ids beyond it are drawn black.
        gap: white pixels between pictures.

    Returns:
        uint8 `(rows, columns, 3)`, a picture.

    Example:

    >>> import numpy as np
    >>> from keras_spade.callbacks import draw_grid
    >>> draw_grid(np.zeros((2, 4, 4), int), np.zeros((2, 4, 4, 3)), gap=1).shape
    (9, 9, 3)
    """
    labels = np.asarray(labels)
    if labels.ndim == 4:
        labels = labels.argmax(axis=-1)
    if palette is None:
        palette = label_colors(int(labels.max()) + 1)
    palette = np.concatenate([np.asarray(palette, "uint8"), np.zeros((1, 3), "uint8")])
    columns = [palette[np.clip(labels, 0, len(palette) - 1)], *(_as_uint8(c) for c in columns)]
    pad = ((0, 0), (0, gap), (0, gap), (0, 0))
    strips = [np.pad(column, pad, constant_values=255) for column in columns]
    rows = np.concatenate(strips, axis=2)
    picture = rows.reshape(-1, *rows.shape[2:])
    return picture[:-gap, :-gap] if gap else picture


def _as_uint8(images):
    images = np.asarray(images)
    return images if images.dtype == np.uint8 else to_bytes(images)
