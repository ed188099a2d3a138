"""Reads one sample into arrays of the batch's size: checked, resized, cropped and flipped."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from keras_spade.arguments import positive_integer, positive_integers
from keras_spade.datasets.folders.advice import advice, warn_of_mask
from keras_spade.datasets.folders.label_mapping import NOT_A_BYTE, LabelMapping, some
from keras_spade.datasets.folders.opening import File, too_many_pixels
from keras_spade.datasets.folders.photographs import image_kind, read_photograph
from keras_spade.datasets.folders.raster import Raster
from keras_spade.datasets.folders.reading import read_colors, read_ids, sizes_differ, upright
from keras_spade.datasets.folders.smoothing import refuse_smooth
from keras_spade.images import resize_maps, resize_photograph

RESIZES = ("stretch", "scale_width", "scale_short_side", "none")


@dataclass
class SampleReader:
    """Reads, checks, resizes, crops and flips one sample.

    Args: those of `paired_folders`. `as_stored`: ignore EXIF orientation, because the label maps
    were drawn on the pixels as stored.
    """

    num_classes: int
    image_size: tuple
    load_size: int | tuple | None = None
    resize: str = "stretch"
    crop: str = "random"
    flip: bool = False
    label_mapping: LabelMapping = field(default_factory=LabelMapping)
    void_class: bool = False
    as_stored: bool = False
    allow_smooth_labels: bool = False
    image_channels: int = 3
    image_range: tuple | None = None

    def __post_init__(self):
        self._warned = False
        self._sharp = set()  # label files already checked for smoothing
        self.num_classes = positive_integer("num_classes", self.num_classes, "a positive integer")
        self.image_size = _size("image_size", self.image_size)
        self.image_channels, self.image_range = image_kind(self.image_channels, self.image_range)
        if self.resize not in RESIZES:
            raise ValueError(f"resize must be one of {', '.join(RESIZES)}, got {self.resize!r}")
        self.load_size = _load_size(self.load_size, self.resize, self.image_size)
        if self.crop not in ("random", "center"):
            raise ValueError(f'crop must be "random" or "center", got {self.crop!r}')
        check_mapping(self.label_mapping, self.num_classes)
        if self.void_class and not self.label_mapping.void_labels:
            raise ValueError("void_class=True needs the void_label in the files, got None")

    @property
    def label_dtype(self) -> np.dtype:
        """The smallest type that can hold every class id, including void."""
        return np.min_scalar_type(self.num_classes)

    @property
    def image_dtype(self) -> np.dtype:
        """Bytes, or floats in [-1, 1] if the range of the files is given."""
        return np.dtype("uint8" if self.image_range is None else "float32")

    def __call__(self, files: Sequence[File], draws: Sequence[float]) -> list[np.ndarray]:
        """Reads the sample of `files` with three uniform `draws` in [0, 1): top, left, flip.

        Returns:
            A list: the label map `label_dtype` (H, W), the image `image_dtype` (H, W, channels)
            and, if there is a third file, the instance map int32 (H, W).
        """
        return self.window(self.load(files), draws)

    def load(self, files: Sequence[File]) -> list[np.ndarray]:
        """The arrays of a sample, checked and resized: everything that does not depend on draws."""
        return self.resized(files, *self.read(files))

    def resized(
        self, files: Sequence[File], image: Image.Image | Raster, maps: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """The arrays of a checked image and its maps, in the size before the crop."""
        height, width = self.loaded_size(files[0], maps[0].shape)
        maps = [resize_maps(ids[None], height, width)[0] for ids in maps]
        if isinstance(image, Raster):
            image = image.resized((height, width), self.image_range)
        else:
            image = resize_photograph(image, height, width)
        return [
            maps[0].astype(self.label_dtype),
            np.asarray(image),
            *(ids.astype(np.int32) for ids in maps[1:]),
        ]

    def window(self, arrays: Sequence[np.ndarray], draws: Sequence[float]) -> list[np.ndarray]:
        """Crops and flips loaded arrays according to the draws."""
        (height, width), (load_height, load_width) = self.image_size, arrays[0].shape
        if self.crop == "center":
            top, left = (load_height - height) // 2, (load_width - width) // 2
        else:
            top = int(draws[0] * (load_height - height + 1))
            left = int(draws[1] * (load_width - width + 1))
        arrays = [array[top : top + height] for array in arrays]
        if self.flip and draws[2] < 0.5:
            columns = np.arange(left + width - 1, left - 1, -1)
            return [array.take(columns, axis=1) for array in arrays]
        return [np.ascontiguousarray(array[:, left : left + width]) for array in arrays]

    def read(self, files: Sequence[File]) -> tuple[Image.Image | Raster, list[np.ndarray]]:
        """A sample's image and its checked maps as NumPy arrays, in the size of the files."""
        return self.checked(files, self.read_image(files[0]), self.read_labels(files[1]))

    def read_image(self, file: File) -> Image.Image | Raster:
        """The Pillow image or `Raster` in a file."""
        return read_photograph(file, self.image_channels, self.image_range)

    def read_labels(self, file: File) -> np.ndarray:
        """The ids or colours in a label file, as the mapping needs; refuses smoothed ids."""
        if self.label_mapping.colors is not None:
            return read_colors(file)
        labels = read_ids(file, self.label_mapping.grey)
        if not self.allow_smooth_labels and file not in self._sharp:
            refuse_smooth(file, labels)
            self._sharp.add(file)
        return labels

    def checked(
        self, files: Sequence[File], image: Image.Image | Raster, labels: np.ndarray
    ) -> tuple[Image.Image | Raster, list[np.ndarray]]:
        """Like `read`, for an image and labels that have already been read."""
        image_file, label_file, *instance_file = files
        image = upright(image, image_file, labels.shape[:2], label_file, self.as_stored)
        maps = [
            class_ids(label_file, labels, self.num_classes, self.label_mapping, self.void_class)
        ]
        if self.void_class and not self._warned:
            self._warned = warn_of_mask(label_file, labels, self.num_classes, self.label_mapping)
        for file in instance_file:
            instances = read_ids(file)
            if instances.shape != image.size[::-1]:
                raise ValueError(sizes_differ(image, image_file, instances.shape, file))
            maps.append(instances)
        return image, maps

    def loaded_size(self, file: File, size: tuple[int, int]) -> tuple[int, int]:
        """The `(height, width)` to which an image of `size` is resized before the crop."""
        height, width = size
        if self.resize == "stretch":
            return self.load_size
        if self.resize == "scale_width":
            loaded = self.load_size * height // width, self.load_size
        elif self.resize == "scale_short_side":
            short = min(height, width)
            loaded = self.load_size * height // short, self.load_size * width // short
        else:
            loaded = height, width
        if too_many_pixels(loaded):
            raise ValueError(
                f"{file}: {height} x {width} (height x width) pixels would become {loaded[0]} x "
                f'{loaded[1]} with resize="{self.resize}", more than PIL.Image.MAX_IMAGE_PIXELS'
            )
        if loaded[0] < self.image_size[0] or loaded[1] < self.image_size[1]:
            raise ValueError(
                f"{file}: {height} x {width} (height x width) pixels are {loaded[0]} x {loaded[1]} "
                f'with resize="{self.resize}", less than image_size={self.image_size}; '
                'resize="scale_short_side" with a larger load_size fits every image'
            )
        return loaded


def class_ids(
    file: File, labels: np.ndarray, num_classes: int, mapping: LabelMapping, void_class: bool
) -> np.ndarray:
    """Returns checked class ids (H, W) for a label file's contents; void is `num_classes`."""
    if mapping.is_plain and not any(0 <= void < num_classes for void in mapping.void_labels):
        if labels.min() >= 0 and labels.max() < num_classes:
            return labels
    if labels.dtype == np.uint8 and labels.ndim == 2 and num_classes < NOT_A_BYTE:
        ids = mapping.byte_table(num_classes, void_class).take(labels)
        if ids.max() < NOT_A_BYTE:
            return ids
    ids = mapping(labels, file)
    low, high = ids.min(), ids.max()
    if high >= num_classes:
        out = ids >= num_classes
        wrong = np.unique(ids[out] if mapping.colors is not None else labels[out])
        voids = mapping.void_labels
        settings = f"void_label={voids[0] if len(voids) == 1 else voids or None}"
        if mapping.offset:
            settings += f", offset={mapping.offset}"
        raise ValueError(
            f"{file}: label ids out of range: {some(wrong)}; the classes are 0..{num_classes - 1} "
            f"and {settings}. Is num_classes too small? If an id means "
            '"don\'t care", pass it as void_label, with void_class=True'
            + advice(labels, num_classes, mapping)
        )
    if low >= 0:
        return ids
    void = ids == LabelMapping.VOID
    if not void_class:
        found = labels[void] if mapping.colors is None else mapping.void_labels
        raise ValueError(
            f"{file}: {np.count_nonzero(void)} pixels have the void id {some(np.unique(found))}; "
            f"the classes are 0..{num_classes - 1}. void_class=True makes void an extra class, "
            f"id {num_classes}" + advice(labels, num_classes, mapping)
        )
    return np.where(void, np.int32(num_classes), ids)


def check_mapping(mapping: object, num_classes: int) -> None:
    """Refuses anything but a mapping to `num_classes` classes."""
    if not isinstance(mapping, LabelMapping):
        raise ValueError(f"label_mapping must be a LabelMapping, got {mapping!r}")
    if mapping.takes_255_from(num_classes):
        raise ValueError(
            f"with num_classes={num_classes}, the number 255 in the files is a class; set "
            "void_labels in LabelMapping to the numbers that are void (None: none)"
        )


def chosen_mapping(
    num_classes: int, void_label: int | None, label_mapping: LabelMapping | None
) -> LabelMapping:
    """The given mapping, or that of files that contain class ids and `void_label`."""
    num_classes = positive_integer("num_classes", num_classes, "a positive integer")
    if label_mapping is not None:
        check_mapping(label_mapping, num_classes)
        if void_label != 255:
            raise ValueError("void_label and label_mapping exclude each other: use its void_labels")
        return label_mapping
    try:
        number = None if void_label is None else operator.index(void_label)
    except TypeError:
        number = 0
    if number == 255 < num_classes:
        raise ValueError(
            f"with num_classes={num_classes}, 255 is a class, and void_label=255, the default, "
            "makes it void: pass void_label=None, or, if 255 is void, a smaller num_classes, which "
            "excludes void, and void_class=True"
        )
    if number is not None and 0 <= number < num_classes:
        raise ValueError(
            f"void_label must be None or an id above the classes 0..{num_classes - 1} or below 0, "
            f"got {void_label!r}; to make a class void, use LabelMapping(void_labels=...)"
        )
    return LabelMapping(void_labels=number)


def _load_size(load_size, resize, image_size):
    if resize == "none":
        if load_size is not None:
            raise ValueError(f'load_size must be None with resize="none", got {load_size!r}')
        return None
    if resize == "stretch":
        if load_size is None:
            return image_size
        size = load_size if isinstance(load_size, (tuple, list)) else (load_size, load_size)
        size = _size("load_size", size)
        if size[0] < image_size[0] or size[1] < image_size[1]:
            raise ValueError(
                f"load_size must be at least image_size={image_size} in height and width, "
                f"got {load_size!r}"
            )
        return size
    width = resize == "scale_width"
    least = image_size[1] if width else min(image_size)
    if load_size is None:
        return image_size[1] if width else max(image_size)
    load_size = positive_integer("load_size", load_size, "a positive integer")
    if load_size < least:
        raise ValueError(
            f'load_size must be at least {least} with resize="{resize}" and '
            f"image_size={image_size}, got {load_size}"
        )
    return load_size


def _size(name, value):
    return positive_integers(name, value, 2, "two positive integers (height, width)")
