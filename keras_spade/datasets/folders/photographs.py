"""Opens photographs, and images with any number of channels and bits; errors name the file."""

import math
from dataclasses import replace

import numpy as np
from PIL import Image

from keras_spade.arguments import positive_integer
from keras_spade.datasets.folders.opening import (
    OPENED_FORMATS,
    File,
    open_array,
    opened,
    stream_of,
    too_many_pixels,
)
from keras_spade.datasets.folders.raster import Raster
from keras_spade.datasets.folders.reading import (
    CHANNELS_LAST,
    open_image,
    orientation_of,
    raw_mode,
    read_rgb,
)
from keras_spade.datasets.folders.wide_colors import eight_bits, wide_colors

# Pillow's modes with more than 8 bits per channel.
DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# What extra samples in a TIFF are if they are alpha, associated or not.
ALPHA = ((1,), (2,))
NPY = b"\x93NUMPY"


def read_photograph(
    file: File, image_channels: int = 3, image_range: tuple[float, float] | None = None
) -> Image.Image | Raster:
    """The image in a file, with the given number of channels.

    Args:
        file: a path or a `Blob`.
        image_channels: 1: 8-bit colours become grey; 3: grey is repeated; otherwise the number of
            channels that the file must have.
        image_range: the values in the file that mean black and white; `None`: 0 and 255, for files
            of 8 bits, also if each value was stored times 257.

    Returns:
        An 8-bit RGB image as a Pillow image, all others as a `Raster`.

    Raises:
        ValueError: if the file cannot be read, has other channels, or has more than 8 bits and
            there is no range.
    """
    is_photograph = image_channels == 3 and image_range is None
    raster = _read_deep(file)
    if raster is None and is_photograph:
        return read_rgb(file)
    if raster is None:
        raster = _read_bytes(file, image_channels)
    pixels = raster.pixels
    if raster.info.get("alpha") and image_channels in (1, 3):
        pixels = pixels[..., :-1]
    if image_range is None:
        is_wide = pixels.dtype == np.uint16
        pixels = eight_bits(file, pixels)
        if is_wide and image_channels == 1 and pixels.shape[-1] == 3:
            pixels = np.asarray(Image.fromarray(pixels).convert("L"))[..., None]
    if pixels.shape[-1] == 1 and image_channels == 3:
        pixels = np.repeat(pixels, 3, axis=-1)
    if pixels.shape[-1] != image_channels:
        hint = f"; {CHANNELS_LAST}" if pixels.shape[0] == image_channels else ""
        raise ValueError(
            f"{file}: it has {pixels.shape[-1]} channels ({pixels.dtype}, shape {pixels.shape}), "
            f"not the {image_channels} of image_channels{hint}"
        )
    if is_photograph:
        image = Image.fromarray(pixels)
        image.info.update(raster.info)
        return image
    return Raster(pixels, file, raster.format, raster.info)


def read_raster(file: File) -> Image.Image | Raster:
    """The image in a file, with its own channels, except alpha in PNG, and its own data type."""
    raster = _read_deep(file)
    if raster is not None and raster.format == "PNG" and raster.info["alpha"]:
        raster = replace(raster, pixels=raster.pixels[..., :-1])
    if raster is None:
        mode, _ = _stored_as(file)
        image = open_image(file) if mode == "RGBX" else read_rgb(file)  # X may be infrared.
        pixels = np.asarray(image)
        pixels = pixels[..., :1] if mode in ("1", "L") else pixels
        orientation = image.info.get("orientation") or orientation_of(image)
        raster = Raster(pixels, file, None, {"orientation": orientation})
    return raster


def _read_bytes(file, channels):
    """An 8-bit image that Pillow can read, as a `Raster`."""
    image = open_image(file)
    kind = image.format
    orientation = orientation_of(image)
    if channels in (1, 3):
        image = read_rgb(file, image)  # It handles transparency.
        pixels = np.asarray(image if channels == 3 else image.convert("L"))
    else:
        pixels = np.asarray(image if image.mode != "P" else image.convert("RGB"))
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    return Raster(pixels, file, kind, {"orientation": orientation})


def _read_deep(file):
    """A `Raster` of an image that Pillow cannot read completely; `None` for other images."""
    try:
        with stream_of(file) as stream:
            content = stream.read(8)
    except OSError:
        return None  # Pillow's own message is best.
    if content[:6] == NPY:
        return _read_array(file)
    if content[:4] not in TIFF and content[1:4] != b"PNG":
        return None
    mode, raw = _stored_as(file)
    if mode not in DEEP_MODES and ";16" not in raw:
        return None
    if mode not in DEEP_MODES and content[:4] in TIFF:
        return _read_tiff(file)
    image = open_image(file)
    pixels = np.asarray(image)[..., None] if mode in DEEP_MODES else wide_colors(file, image)
    info = {"orientation": orientation_of(image), "alpha": mode == "RGBA"}
    return Raster(_native(pixels), file, image.format, info)


def _stored_as(file):
    """Pillow's mode and raw mode of an image; `None` and 16 bits if it cannot read it."""
    try:
        with Image.open(opened(file), formats=OPENED_FORMATS) as image:
            return image.mode, raw_mode(image)
    except Exception:  # Pillow's readers raise many types.
        return None, ";16"


def _read_tiff(file):
    try:
        import tifffile
    except ImportError:
        raise ValueError(
            f"{file}: cannot be read as an image by Pillow; if it is a TIFF with many channels, or "
            "several 16-bit ones, `pip install tifffile imagecodecs`, or save it as .npy"
        ) from None
    try:
        with tifffile.TiffFile(opened(file)) as tiff:
            page = tiff.pages[0]
            if len(tiff.pages) > 1:
                raise ValueError(f"it contains {len(tiff.pages)} pictures; save only one")
            if too_many_pixels((page.imagelength, page.imagewidth)):
                raise ValueError("it declares more pixels than PIL.Image.MAX_IMAGE_PIXELS")
            pixels, axes = page.asarray(), page.axes
            tag = page.tags.get(274)
            alpha = page.extrasamples[-1:] in ALPHA
    except Exception as error:  # Its decoders raise many types.
        raise ValueError(f"{file}: cannot be read as an image: {error}") from None
    if axes not in ("YX", "YXS", "SYX"):
        raise ValueError(f"{file}: its axes must be YX, YXS or SYX, got {axes}")
    pixels = {"YX": lambda x: x[..., None], "SYX": lambda x: np.moveaxis(x, 0, -1)}.get(
        axes, lambda x: x
    )(pixels)
    info = {"orientation": int(tag.value) if tag is not None else 1, "alpha": alpha}
    return Raster(_native(pixels), file, "TIFF", info)


def _read_array(file):
    try:
        array = open_array(file)
        array = array[..., None] if array.ndim == 2 else array
        if array.ndim != 3 or 0 in array.shape or too_many_pixels(array.shape[:2]):
            raise ValueError(f"its shape must be (H, W) or (H, W, channels), got {array.shape}")
        if array.dtype.kind not in "buif":
            raise ValueError(f"it must contain numbers, got {array.dtype}")
        array = array * np.uint8(255) if array.dtype == bool else array
        return Raster(_native(array), file, "NPY", {"orientation": 1})
    except Exception as error:
        raise ValueError(f"{file}: cannot be read as an array: {error}") from None


def _native(pixels):
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False))


def image_kind(
    image_channels: int, image_range: tuple[float, float] | None
) -> tuple[int, tuple[float, float] | None]:
    """The checked number of channels, and the range as two floats or `None`."""
    image_channels = positive_integer("image_channels", image_channels, "a positive integer")
    if image_range is None:
        return image_channels, None
    try:
        low, high = map(float, image_range)
        good = math.isfinite(low) and math.isfinite(high) and low < high
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            "image_range must be (low, high), the values in the files that become -1 and 1, got "
            f"{image_range!r}"
        )
    return image_channels, (low, high)
