"""Read one sample with Pillow into NumPy arrays, checked; every error names the file."""

import operator
import os
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile

ID_MODES = ("1", "L", "P", "I", "I;16")
EXIF_ORIENTATION = 0x0112


@dataclass
class SampleReader:
    """Reads, checks, resizes, crops and flips one sample.

    Args: those of `paired_folders`. `load_size=None` means `image_size`.
    """

    num_classes: int
    image_size: tuple
    load_size: tuple | None = None
    crop: str = "random"
    flip: bool = False
    void_label: int | None = 255
    void_class: bool = False

    def __post_init__(self):
        self.num_classes = positive_integer("num_classes", self.num_classes)
        self.image_size = _size("image_size", self.image_size)
        if self.load_size is None:
            self.load_size = self.image_size
        self.load_size = _size("load_size", self.load_size)
        if self.load_size[0] < self.image_size[0] or self.load_size[1] < self.image_size[1]:
            raise ValueError(
                f"load_size must be at least image_size={self.image_size} in height and width, "
                f"got {self.load_size}"
            )
        if self.crop not in ("random", "center"):
            raise ValueError(f'crop must be "random" or "center", got {self.crop!r}')
        if self.void_label is not None and not (
            isinstance(self.void_label, int) and self.void_label >= self.num_classes
        ):
            raise ValueError(
                f"void_label must be None or an id above the classes 0..{self.num_classes - 1}, "
                f"got {self.void_label!r}"
            )
        if self.void_class and self.void_label is None:
            raise ValueError("void_class=True needs the void_label of the files, got None")

    def __call__(self, files, draws):
        """Reads the sample of `files` with three uniform `draws` in [0, 1): top, left, flip.

        Returns:
            A list: the label map int32 (H, W), the image float32 (H, W, 3) in [-1, 1] and, if
            there is a third file, the instance map int32 (H, W).
        """
        image_file, label_file, *instance_file = files
        image = read_image(image_file)
        id_files = [label_file, *instance_file]
        maps = [read_ids(file) for file in id_files]
        for file, ids in zip(id_files, maps, strict=True):
            if ids.shape != image.size[::-1]:
                raise ValueError(_mismatch(image_file, image, file, ids))
        maps[0] = class_ids(label_file, maps[0], self.num_classes, self.void_label, self.void_class)

        (height, width), (load_height, load_width) = self.image_size, self.load_size
        if self.crop == "center":
            top, left = (load_height - height) // 2, (load_width - width) // 2
        else:
            top = int(draws[0] * (load_height - height + 1))
            left = int(draws[1] * (load_width - width + 1))
        step = -1 if self.flip and draws[2] < 0.5 else 1

        rows = nearest_index(maps[0].shape[0], load_height)[top : top + height]
        columns = nearest_index(maps[0].shape[1], load_width)[left : left + width][::step]
        maps = [ids[rows][:, columns].astype(np.int32) for ids in maps]

        image = image.resize((load_width, load_height), Image.Resampling.BICUBIC)
        image = image.crop((left, top, left + width, top + height))
        pixels = np.asarray(image)[:, ::step].astype(np.float32, order="C")
        pixels /= 127.5
        pixels -= 1.0
        return [maps[0], pixels, *maps[1:]]


def class_ids(file, ids, num_classes, void_label, void_class):
    """Returns checked label ids, int32 (H, W), void pixels with the id `num_classes`."""
    ids = ids.astype(np.int32)
    if ids.min() >= 0 and ids.max() < num_classes:
        return ids
    classes = f"the classes are 0..{num_classes - 1}"
    void = ids == void_label
    wrong = np.unique(ids[((ids < 0) | (ids >= num_classes)) & ~void])
    if wrong.size:
        listed = ", ".join(map(str, wrong[:5])) + (", ..." if wrong.size > 5 else "")
        raise ValueError(
            f"{file}: label ids out of range: {listed}; {classes} and "
            f"void_label={void_label}. Is num_classes too small? An id that means "
            '"don\'t care" is given as void_label, with void_class=True'
        )
    if not void_class:
        raise ValueError(
            f"{file}: {np.count_nonzero(void)} pixels have the void id {void_label}; {classes}. "
            f"void_class=True makes void one more class, id {num_classes}"
        )
    return np.where(void, np.int32(num_classes), ids)


def read_image(file):
    """Returns the RGB Pillow image in `file`; its EXIF orientation is not applied."""
    image = _load(file)
    if image.mode == "F" or image.mode.startswith("I"):
        raise ValueError(f"{file}: the image must have 8 bits a channel, got mode {image.mode}")
    if image.mode == "RGB":
        return image
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB")


def read_ids(file):
    """Returns the one-channel ids in `file` as an integer array (H, W); of a palette, the index."""
    image = _load(file)
    if image.mode not in ID_MODES:
        raise ValueError(
            f"{file}: ids must be in one channel (mode {', '.join(ID_MODES)}), "
            f"got mode {image.mode}; colours are not turned into ids"
        )
    ids = np.asarray(image)
    return ids.astype(np.uint8) if ids.dtype == bool else ids


def nearest_index(size_in, size_out):
    """Returns the source index of every output pixel, by the float32 rule of the SPADE layers."""
    ratio = np.float32(size_in) / np.float32(size_out)
    index = np.floor(np.arange(size_out, dtype=np.float32) * ratio).astype(np.int64)
    return np.minimum(index, size_in - 1)


def positive_integer(name, value):
    """Returns `value` as an int; a ValueError naming the argument if it is not one above 0."""
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return number


def _size(name, value):
    try:
        height, width = value
        return positive_integer(name, height), positive_integer(name, width)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be two positive integers (height, width), got {value!r}"
        ) from None


def _load(file):
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise ValueError(
            f"{file}: not read while PIL.ImageFile.LOAD_TRUNCATED_IMAGES is True, as a truncated "
            "file would pass with its missing part grey; set it to False"
        )
    try:
        if os.path.getsize(file) == 0:
            raise OSError("the file is empty")
        with Image.open(file) as image:
            image.load()
            return image
    except Exception as error:  # Pillow's decoders raise many kinds
        raise ValueError(f"{file}: cannot be read as an image: {error}") from None


def _mismatch(image_file, image, id_file, ids):
    message = (
        f"sizes differ (height x width): {image_file} is {image.height} x {image.width}, "
        f"{id_file} is {ids.shape[0]} x {ids.shape[1]}"
    )
    orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    if orientation != 1:
        message += f"; the image's EXIF orientation {orientation} is not applied"
    return message
