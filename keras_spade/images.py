"""Pixels as bytes in [0, 255] and as floats in [-1, 1]."""

import numpy as np

# What is in [-1, 1] goes beyond when it is resized bicubically: by 0.31 where a corner of a
# white area meets a black one.
BEYOND = 1.35


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


def refusal(argument, dtype):
    """The message for images of a wrong dtype or range.

    Args:
        argument: its name.
        dtype: the name of the images' dtype.

    Returns:
        What stands before the smallest and the largest value, and what stands behind them.
    """
    scaling = (
        "scale them by `2 * (images - low) / (high - low) - 1`, low and high being the range of "
        "all your images"
    )
    return (
        f"`{argument}` must be floats in [-1, 1] or uint8, got {dtype} values (smallest, largest):",
        f"({scaling}; images of 0..255 are `images / 127.5 - 1`)",
    )


def check_images(argument, images):
    """Raises for an array of images that are neither uint8 nor floats in [-1, 1].

    A hair beyond is no fault, and what is not finite is not looked at.

    Args:
        argument: its name, as the message shows it.
        images: a NumPy array.

    Raises:
        ValueError: naming the range that was found, and how to scale it.
    """
    dtype = images.dtype.name
    if dtype == "uint8" or not images.size:
        return
    if "float" in dtype:
        low, high = images.min(), images.max()
        if -BEYOND <= low and high <= BEYOND:  # Neither is NaN.
            return
        images = images[np.isfinite(images)]
        if not images.size:
            return
    low, high = images.min(), images.max()
    if "float" not in dtype or low < -BEYOND or high > BEYOND:
        begin, end = refusal(argument, dtype)
        raise ValueError(f"{begin} {low}, {high} {end}.")
