"""Opens image and label files with Pillow and NumPy, with checks; every error names the file."""

import numpy as np
from PIL import Image, ImageFile

from keras_spade.datasets.folders.colors import colors_of_8_bits, grey_ids, is_grey
from keras_spade.datasets.folders.damage import refuse_damage
from keras_spade.datasets.folders.opening import (
    OPENED_FORMATS,
    Blob,
    File,
    is_npy,
    open_array,
    opened,
    stream_of,
    too_many_pixels,
)
from keras_spade.datasets.folders.raster import Raster
from keras_spade.datasets.folders.wide_colors import eight_bits, wide_colors

ID_MODES = ("1", "L", "P", "I", "I;16", "I;16B")
COLOR_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
IMAGE_FORMATS = ("BMP", "JPEG", "MPO", "PNG", "TIFF", "WEBP")  # MPO: JPEG with a second picture
LABEL_FORMATS = ("BMP", "PNG", "TIFF")
LOSSY_TIFF = ("jpeg", "tiff_jpeg", "webp")
EXIF_ORIENTATION = 0x0112
CHANNELS_LAST = "channels come last: save np.moveaxis(array, 0, -1)"
# The shapes of label arrays.
IDS, COLORS = "(H, W)", "(H, W, 3)"
# How to turn a stored image for display, by its EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Pillow scales 2-bit and 4-bit grey to 0..255 for display, by these factors.
GRAY_STEPS = {"L;2": 85, "L;4": 17}
# Modes in which Pillow reads the upper 8 of 16 bits.
WIDE_MODES = ("RGB", "RGBA")
# How alpha of 16 bits says that nothing is transparent, also if it was stored like 8 bits.
OPAQUE = (255, 255 << 8, 65535)


def read_rgb(file: File, image: Image.Image | None = None) -> Image.Image:
    """Returns the RGB Pillow image in `file`, with its pixels as stored.

    `image.info["orientation"]` is its EXIF orientation, from 1 to 8.
    """
    image = open_image(file) if image is None else image
    if image.mode == "F" or image.mode.startswith("I"):
        raise ValueError(
            f"{file}: the image must have 8 bits per channel, got mode {image.mode}; set "
            "image_range=(low, high), the values that become -1 and 1"
        )
    orientation = orientation_of(image)
    if image.info["wide"]:
        colors = wide_colors(file, image)
        colors = colors if image.mode == "RGB" else colors[..., :-1]
        image = Image.fromarray(eight_bits(file, np.broadcast_to(colors, (*colors.shape[:2], 3))))
    if image.mode != "RGB":
        if "transparency" in image.info:
            image = image.convert("RGBA")
        image = image.convert("RGB")
    image.info["orientation"] = orientation
    return image


def read_ids(file: File, grey: bool = False) -> np.ndarray:
    """Returns the one-channel ids in `file` as integers (H, W); in palette files, the indices.

    With `grey`, ids may be in three identical channels.
    """
    if grey:
        labels = read_labels(file)
        return grey_ids(labels, file) if labels.ndim == 3 else labels
    if is_npy(file):
        return _load_array(file, IDS)
    return _ids(open_image(file, label=True), file)


def read_colors(file: File) -> np.ndarray:
    """Returns the colours in a label file, uint8 (H, W, 3)."""
    if is_npy(file):
        return _load_array(file, COLORS)
    return _colors(open_image(file, label=True), file)


def read_labels(file: File) -> np.ndarray:
    """Returns the contents of a label file: ids (H, W), or colours uint8 (H, W, 3)."""
    if is_npy(file):
        return _load_array(file, IDS, COLORS)
    image = open_image(file, label=True)
    return _colors(image, file) if image.mode in ("LA", "RGB", "RGBA") else _ids(image, file)


def palette_of(file: File) -> dict[int, tuple[int, int, int]]:
    """A dict index -> `(r, g, b)`, the colours of an indexed label file; empty for others."""
    if is_npy(file):
        return {}
    with Image.open(opened(file), formats=OPENED_FORMATS) as image:
        values = image.getpalette() if image.mode == "P" else None
    return dict(enumerate(zip(*[iter(values or ())] * 3, strict=True)))


def _ids(image, file):
    if image.mode not in ID_MODES:
        wide = ", 16 bits per channel" if image.info["wide"] else ""
        way_out = "LabelMapping(palette=...) maps colours in label maps to ids"
        if image.mode in COLOR_MODES and is_grey(np.asarray(image.convert("RGB"))):
            way_out = 'LabelMapping(palette="grey") reads ids that are the same in all channels'
        elif image.mode == "F":
            way_out = "save them as integers"
        raise ValueError(
            f"{file}: ids must be in one channel (mode {', '.join(ID_MODES)}), got mode "
            f"{image.mode}{wide}; {way_out}; instance maps must contain ids"
        )
    ids = np.asarray(image)
    if (step := image.info["gray_step"]) > 1:
        return ids // step
    return ids.astype(np.uint8) if ids.dtype == bool else ids


def _colors(image, file):
    if image.mode not in COLOR_MODES:
        raise ValueError(f"{file}: the labels must be 8-bit colours, got mode {image.mode}")
    if image.mode in ("LA", "RGBA") and image.getextrema()[-1] != (255, 255):
        raise ValueError(
            f"{file}: transparent pixels have no colour to be a label; save the label map "
            "without alpha, with each pixel in the colour of its class"
        )
    return np.asarray(image.convert("RGB"))


def upright(
    image: Image.Image | Raster,
    image_file: File,
    size: tuple[int, int],
    label_file: File,
    as_stored: bool,
) -> Image.Image | Raster:
    """Returns `image`, turned to match the label map of `size` (height, width).

    Cameras store a photograph as the sensor saw it, and note in EXIF how to turn it. The size of a
    label map shows whether it was drawn on the stored or on the turned photograph.

    Raises:
        ValueError: if the sizes differ, or are ambiguous without `as_stored`.
    """
    height, width = size
    orientation = image.info.get("orientation", 1)
    turned = orientation >= 5
    stored = image.size == (width, height)
    shown = (image.size[::-1] if turned else image.size) == (width, height)
    if orientation == 1 and stored or (stored and (as_stored or not shown)):
        return image
    if shown and not stored and not as_stored:
        return image.transpose(TURNS[orientation])
    if stored:
        raise ValueError(
            f"{image_file}: its EXIF orientation {orientation} turns or mirrors it, and the size "
            f"of {label_file} does not show whether that was drawn before or after. Save the "
            "image again without that tag, turned (PIL.ImageOps.exif_transpose) or not"
        )
    raise ValueError(sizes_differ(image, image_file, size, label_file))


def sizes_differ(
    image: Image.Image | Raster, image_file: File, size: tuple[int, int], map_file: File
) -> str:
    """The error message for an image and a map of different sizes (height, width)."""
    message = (
        f"sizes differ (height x width): {image_file} is {image.height} x {image.width}, "
        f"{map_file} is {size[0]} x {size[1]}"
    )
    if isinstance(image, Raster) and image.pixels.shape[1:] == size:
        return f"{message}; {CHANNELS_LAST}"
    orientation = image.info.get("orientation", 1)
    if orientation != 1:
        message += f"; the image has the EXIF orientation {orientation}"
    return f"{message}; resize one of them to the size of the other, maps by nearest neighbour"


def open_image(file: File, label: bool = False) -> Image.Image:
    """Returns the Pillow image in a file, loaded."""
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise ValueError(
            f"{file}: not read while PIL.ImageFile.LOAD_TRUNCATED_IMAGES is True, because a "
            "truncated file would load with its missing part grey; set it to False"
        )
    try:
        with Image.open(opened(file), formats=OPENED_FORMATS) as image:
            raw = raw_mode(image)
            _check_header(image, label, raw)
            if image.format in ("PNG", "BMP"):
                with stream_of(file) as stream:
                    refuse_damage(image.format, image.mode, stream)
            image.load()
            image.info["gray_step"] = GRAY_STEPS.get(raw[:3], 1)
            image.info["wide"] = raw if ";16" in raw and image.mode in WIDE_MODES else ""
        return _narrowed(file, image) if label and image.info["wide"] else image
    except Exception as error:  # Pillow's decoders raise many types
        reason = str(error) or type(error).__name__
        raise ValueError(f"{file}: cannot be read as an image: {reason}") from None


def _narrowed(file: File, image: Image.Image) -> Image.Image:
    """The 8-bit colours of a label file that stores them with 16 bits."""
    colors = wide_colors(file, image)
    alpha = colors[..., 3:]
    opaque = alpha == alpha.max(initial=0)
    opaque &= np.isin(alpha, OPAQUE)
    channels = [colors_of_8_bits(colors[..., :3]), np.uint8(255) * opaque]
    narrow = Image.fromarray(np.concatenate(channels, axis=-1))
    narrow.info.update(image.info)
    return narrow


def is_lossy(image: Image.Image) -> bool:
    """Whether a Pillow image has a format whose compression changes colours."""
    return image.format not in LABEL_FORMATS or image.info.get("compression") in LOSSY_TIFF


def raw_mode(image: Image.Image) -> str:
    """Pillow's raw mode: how the pixels are stored."""
    arguments = image.tile[0][3] if image.tile else ""
    raw = arguments if isinstance(arguments, (str, type(None))) else next(iter(arguments), "")
    return raw if isinstance(raw, str) else ""


def _check_header(image, label, raw):
    """Refuses images that should not be decoded, judging by the header."""
    if too_many_pixels(image.size):
        raise ValueError(
            f"it declares {image.height} x {image.width} pixels, more than "
            f"PIL.Image.MAX_IMAGE_PIXELS = {Image.MAX_IMAGE_PIXELS}"
        )
    if label and image.format == "GIF":
        raise ValueError("it is a GIF file, whose palette may have been reordered; save it as PNG")
    if label and is_lossy(image):
        raise ValueError(
            f"it is a {image.format} file, whose compression changes ids; label and instance maps "
            "must be saved as PNG or .npy"
        )
    if label and raw.startswith("LA;16"):
        raise ValueError(
            "it has 16 bits per channel and alpha; save it in one channel without alpha"
        )
    if label and raw.startswith(("1;", "L;")) and "I" in raw:
        raise ValueError("its numbers start at white (WhiteIsZero); save it with black as 0")
    # The second picture in an MPO is a depth or brightness map.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise ValueError(f"it contains {image.n_frames} pictures; save only one")
    if not label and image.format not in IMAGE_FORMATS:
        raise ValueError(f"images must be {', '.join(IMAGE_FORMATS)}; it is {image.format}")


def _load_array(file, *shapes):
    """The integers in a `.npy` file, in one of the shapes `IDS` and `COLORS`."""
    if isinstance(file, Blob):
        raise ValueError(f"{file}: arrays are not read from records")
    try:
        array = open_array(file)
        if IDS in shapes and array.ndim == 3 and array.shape[2] == 1:
            array = array[:, :, 0]
        colored = array.ndim == 3 and array.shape[2] == 3
        if (COLORS if colored else IDS) not in shapes or not (colored or array.ndim == 2):
            hint = ""
            if array.ndim == 3:
                hint = "; for one-hot maps, save array.argmax(axis), with the axis of the classes"
            if colored:
                hint = "; LabelMapping(palette=...) maps colours to ids"
            raise ValueError(f"its shape must be {' or '.join(shapes)}, got {array.shape}{hint}")
        if 0 in array.shape or too_many_pixels(array.shape[:2]):
            raise ValueError(f"its shape {array.shape} has no pixels, or too many")
        if array.dtype == bool:
            array = array.astype(np.uint8)
        if array.dtype.kind not in "iu":
            raise ValueError(f"it must contain integers, got {array.dtype}; save array.astype(int)")
        if colored:
            return colors_of_8_bits(array)
        if array.min() < -(2**31) or array.max() >= 2**31:
            raise ValueError("its ids need more than 32 bits")
        array = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
        return np.array(array)
    except Exception as error:
        raise ValueError(f"{file}: cannot be read as an array: {error}") from None


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation; 1 if there is none or it cannot be read."""
    try:
        orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # a broken EXIF block is ignored, as in viewers
        return 1
    return orientation if orientation in range(1, 9) else 1
