"""Pictures of label maps, paintings and photographs side by side."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_spade.images import check_images, to_bytes
from keras_spade.label_colors import label_colors


def draw_grid(
    labels: ArrayLike,
    *columns: ArrayLike,
    palette: ArrayLike | None = None,
    gap: int = 2,
    channels: Sequence[int] | None = None,
) -> np.ndarray:
    """Draws one row per sample: label map, then one picture per column.

    Args:
        labels: integer ids `(batch, H, W)`, or a float map `(batch, H, W, k)` whose largest channel
            is shown.
        *columns: image batches `(batch, H, W, channels)`, uint8 or float in [-1, 1].
        palette: uint8 `(classes, 3)`; `None`: `label_colors`. Ids without a colour are black.
        gap: white pixels between pictures.
        channels: the channels of the images to show, three as red, green and blue, or one as
            grey; `None`: the first three, or the first if there are fewer.

    Returns:
        uint8 `(rows, columns, 3)`, a picture.

    Raises:
        ValueError: if `channels` are not one or three channels of the images; for images that are
            neither uint8 nor in [-1, 1].

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
    columns = [
        palette[np.clip(labels, 0, len(palette) - 1)],
        *(_as_rgb(c, channels) for c in columns),
    ]
    pad = ((0, 0), (0, gap), (0, gap), (0, 0))
    strips = [np.pad(column, pad, constant_values=255) for column in columns]
    rows = np.concatenate(strips, axis=2)
    picture = rows.reshape(-1, *rows.shape[2:])
    return picture[:-gap, :-gap] if gap else picture


def shown_channels(channels: Sequence[int] | None, count: int) -> list[int]:
    """The one or three of `count` channels to show, see `draw_grid`."""
    if channels is None:
        return [0, 1, 2] if count >= 3 else [0]
    try:
        chosen = [int(channel) for channel in channels]
    except (TypeError, ValueError):
        chosen = []
    if len(chosen) not in (1, 3) or not all(0 <= channel < count for channel in chosen):
        raise ValueError(
            f"`channels` must be one or three of the channels 0..{count - 1}, got {channels!r}."
        )
    return chosen


def _as_rgb(images, channels):
    images = np.asarray(images)
    check_images("images", images)
    images = images[..., shown_channels(channels, images.shape[-1])]
    images = images if images.dtype == np.uint8 else to_bytes(images)
    return np.broadcast_to(images, (*images.shape[:-1], 3))
