"""Pixels as bytes in [0, 255] and as floats in [-1, 1]."""

import numpy as np


def to_floats(pixels):
    """Maps floats in [0, 255] to [-1, 1].

    Args:
        pixels: a float array or tensor of any library; cast integers first.

    Returns:
        `pixels / 127.5 - 1`, of the same type.
    """
    return pixels / 127.5 - 1.0


def to_pixels(images):
    """Maps floats in [-1, 1] to [0, 255], unrounded: the inverse of `to_floats`.

    Args:
        images: a float array or tensor of any library.

    Returns:
        `(images + 1) * 127.5`, of the same type.
    """
    return (images + 1.0) * 127.5


def to_bytes(images):
    """Rounds images in [-1, 1] to bytes; what lies beyond is cut off.

    Args:
        images: a NumPy float array.

    Returns:
        A uint8 array of the same shape.
    """
    return np.clip(np.round(to_pixels(images)), 0, 255).astype("uint8")
