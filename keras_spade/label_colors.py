"""Colours to display label maps."""

import colorsys

import numpy as np


def label_colors(num_classes: int) -> np.ndarray:
    """Returns one colour per class, deterministic, with neighbouring ids far apart.

    Args:
        num_classes: number of classes, including the void class.

    Returns:
        uint8 `(num_classes, 3)`.

    Example:

    >>> from keras_spade.label_colors import label_colors
    >>> label_colors(2).tolist()
    [[230, 69, 69], [69, 230, 116]]
    """
    # Steps of the golden ratio around the colour circle, at alternating brightness.
    hues = np.arange(num_classes) * 0.3819660113 % 1.0
    values = (0.9, 0.65, 0.4)
    colors = [colorsys.hsv_to_rgb(h, 0.7, values[i // 7 % 3]) for i, h in enumerate(hues)]
    return np.round(np.array(colors) * 255).astype("uint8").reshape(-1, 3)
