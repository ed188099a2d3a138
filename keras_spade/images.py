"""Conversion of pixels between bytes and floats; resizing; borders of instances."""

import numpy as np
from PIL import Image

from keras_spade.tensor import Tensor

# Tolerance for 1 after rounding, also in bfloat16.
BEYOND = 1.01


def to_floats(pixels: Tensor) -> Tensor:
    """Maps floats in [0, 255] to [-1, 1].

    Args:
        pixels: a float array or tensor of any library; cast integers first.

    Returns:
        `pixels / 127.5 - 1`, of the same type.
    """
    return pixels / 127.5 - 1.0


def to_pixels(images: Tensor) -> Tensor:
    """Maps floats in [-1, 1] to [0, 255], unrounded: the inverse of `to_floats`.

    Args:
        images: a float array or tensor of any library.

    Returns:
        `(images + 1) * 127.5`, of the same type.
    """
    return (images + 1.0) * 127.5


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Rounds images in [-1, 1] to bytes; values outside are clipped.

    Args:
        images: a NumPy float array.

    Returns:
        A uint8 array of the same shape.
    """
    return np.clip(np.round(to_pixels(images)), 0, 255).astype("uint8")


def whole_pixels(pixels: Tensor) -> Tensor:
    """Rounds a tensor of pixels as `to_bytes` does; values outside [0, 255] are clipped.

    Args:
        pixels: a float tensor, also in a compiled function.

    Returns:
        A tensor of the same type.
    """
    from keras import ops  # Datasets are read without Keras.

    return ops.clip(ops.round(pixels), 0, 255)


def nearest_index(size_in: int, size_out: int) -> np.ndarray:
    """Returns the source of each pixel of a resized row or column, as in `nearest_resize`.

    Args:
        size_in: number of pixels before.
        size_out: number of pixels after.

    Returns:
        An int32 array of `size_out` indices.
    """
    ratio = np.float32(size_in) / np.float32(size_out)
    index = np.floor(np.arange(size_out, dtype=np.float32) * ratio).astype("int32")
    return np.minimum(index, size_in - 1)


def instance_borders(instances: np.ndarray) -> np.ndarray:
    """Marks borders between instances, as `keras_spade.layers.instance_edges` does.

    Args:
        instances: an array of integer ids `(..., H, W)`.

    Returns:
        A bool array of the same shape.
    """
    edges = np.zeros(instances.shape, bool)
    below = instances[..., 1:, :] != instances[..., :-1, :]
    right = instances[..., 1:] != instances[..., :-1]
    edges[..., 1:, :] |= below
    edges[..., :-1, :] |= below
    edges[..., 1:] |= right
    edges[..., :-1] |= right
    return edges


def resize_maps(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes label, instance or float maps by nearest neighbours, as `nearest_resize` does.

    Args:
        maps: an array `(batch, H, W)` or `(batch, H, W, channels)`.
        height: rows of the result.
        width: columns of the result.

    Returns:
        An array of the same type.
    """
    rows, columns = nearest_index(maps.shape[1], height), nearest_index(maps.shape[2], width)
    return maps[:, rows][:, :, columns]


def resize_photograph(photograph: Image.Image, height: int, width: int) -> Image.Image:
    """Resizes a Pillow image bicubically, unless it already has that size.

    Args:
        photograph: a Pillow image.
        height: rows of the result.
        width: columns of the result.

    Returns:
        A Pillow image.
    """
    if photograph.size == (width, height):
        return photograph
    return photograph.resize((width, height), Image.Resampling.BICUBIC)


def resize_channels(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes an image with any number of channels, each separately, as `resize_photograph` does.

    Args:
        pixels: an array `(H, W, channels)`, uint8 or floats in [-1, 1].
        height: rows of the result.
        width: columns of the result.

    Returns:
        An array `(height, width, channels)`: uint8, or float32 clipped to [-1, 1].
    """
    is_bytes = pixels.dtype == np.uint8
    channels = np.ascontiguousarray(np.moveaxis(pixels, -1, 0), "uint8" if is_bytes else "float32")
    resized = [resize_photograph(Image.fromarray(x), height, width) for x in channels]
    resized = np.stack([np.asarray(x) for x in resized], axis=-1)
    return resized if is_bytes else np.clip(resized, -1, 1)


def resize_photographs(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes the images of a batch, each as `resize_channels` does.

    Args:
        images: an array `(batch, H, W, channels)`, uint8 or floats in [-1, 1].
        height: rows of the result.
        width: columns of the result.

    Returns:
        An array `(batch, height, width, channels)`: uint8, or float32 clipped to [-1, 1].
    """
    return np.stack([resize_channels(image, height, width) for image in images])


def refusal(argument: str, dtype: str) -> tuple[str, str]:
    """Returns the message for images of a wrong dtype or range.

    Args:
        argument: its name.
        dtype: the name of the images' dtype.

    Returns:
        The text before and the text after the smallest and the largest value.
    """
    scaling = (
        "scale them by `2 * (images - low) / (high - low) - 1`, where low and high are the range "
        "of all your images; clip values that resizing moved outside"
    )
    return (
        f"`{argument}` must be floats in [-1, 1] or uint8, got {dtype} values (smallest, largest):",
        f"({scaling}; images of 0..255 are `images / 127.5 - 1`)",
    )


def check_images(argument: str, images: np.ndarray) -> None:
    """Raises for an array of images that are neither uint8 nor floats in [-1, 1].

    Rounding errors are tolerated, and non-finite values are ignored.

    Args:
        argument: its name in the message.
        images: a NumPy array.

    Raises:
        ValueError: with the range found, and how to scale it.
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
