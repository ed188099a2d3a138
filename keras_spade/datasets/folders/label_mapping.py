"""Maps the contents of label files to class ids."""

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_spade.datasets.folders.colors import grey_ids
from keras_spade.datasets.folders.opening import File

TABLE = 1 << 16
COLORS = 1 << 24
NO_CLASS = 2**31 - 1
NOT_A_BYTE = 255


class LabelMapping:
    """Defines the meaning of the numbers or colours in label files.

    `palette` maps a colour to a number. A number in `void_labels` is void ("don't care"). With
    `remap`, any other number is mapped to a class id; without it, `offset` is added.

    Args:
        palette: colours of RGB (or indexed) label files: a sequence of `(r, g, b)`, in which the
            position is the number, or a dict `{(r, g, b): number}`. "grey": files hold numbers, the
            same in all three channels. `None`: files hold numbers.
        remap: dict `{number: class id}`. Other numbers are errors, unless void.
        offset: added to the numbers; -1 if classes are counted from 1.
        void_labels: numbers that mean "don't care": an int, a sequence of ints, or `None` for none.
            "auto": 255, or none if `remap` or the position in a sequence `palette` makes 255 a
            class.

    Raises:
        ValueError: if the arguments do not define a mapping.

    Example:

    >>> import numpy as np
    >>> from keras_spade.datasets import LabelMapping
    >>> from_one = LabelMapping(offset=-1, void_labels=0)  # 1..n are the classes, 0 is void
    >>> from_one(np.array([[0, 1, 2]])).tolist()
    [[-1, 0, 1]]
    >>> colored = LabelMapping(palette=[(0, 0, 0), (128, 64, 128)], void_labels=0)
    >>> colored(np.array([[[0, 0, 0], [128, 64, 128]]], "uint8")).tolist()
    [[-1, 1]]
    >>> LabelMapping(remap={0: 0, 128: 1, 255: 2}).void_labels
    []
    """

    VOID = -1
    _UNKNOWN = -2

    def __init__(
        self,
        palette: Sequence | Mapping | str | None = None,
        remap: Mapping[int, int] | None = None,
        offset: int = 0,
        void_labels: int | Sequence[int] | str | None = "auto",
    ):
        self._arguments = {
            "palette": palette,
            "remap": remap,
            "offset": offset,
            "void_labels": void_labels,
        }
        self._byte_table = None, None
        self.offset = _integer("offset", offset)
        self.grey = isinstance(palette, str) and palette == "grey"
        palette = None if self.grey else palette
        self.colors = None if palette is None else _checked_palette(palette)
        self.remap = None
        if remap is not None:
            if self.offset:
                raise ValueError(f"remap and offset={offset} exclude each other: pass only one")
            if not isinstance(remap, Mapping) or not remap:
                raise ValueError(f"remap must be a dict number -> class id, got {remap!r}")
            self.remap = {
                _integer("remap", number): _integer("remap", class_id)
                for number, class_id in remap.items()
            }
            if min(self.remap.values()) < 0:
                raise ValueError(f"remap must map to class ids of at least 0, got {remap!r}")
        self._auto = isinstance(void_labels, str) and void_labels == "auto"
        if self._auto:
            by_position = palette is not None and not isinstance(palette, Mapping)
            classes = self.remap or (range(len(self.colors)) if by_position else ())
            void_labels = None if 255 in classes else 255
        self.void_labels = _integers("void_labels", void_labels)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments it was made with, as a dict without defaults."""
        defaults = {"palette": None, "remap": None, "offset": 0, "void_labels": "auto"}
        given = {k: v for k, v in self._arguments.items() if v is not defaults[k]}
        return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in given.items()}

    def __repr__(self):
        listed = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"LabelMapping({listed})"

    @property
    def is_plain(self) -> bool:
        """Whether numbers, except void, are already class ids."""
        return self.colors is None and self.remap is None and not self.offset

    def takes_255_from(self, num_classes: int) -> bool:
        """Whether 255 is void by default although it would be a class."""
        named = self.colors is None or 255 in self.colors.values()
        named = named and self.remap is None and bool(self.void_labels)
        return self._auto and named and 0 <= 255 + self.offset < num_classes

    def __call__(self, labels: np.ndarray, file: File = "labels") -> np.ndarray:
        """Returns the class ids of a label map.

        Args:
            labels: integer array `(H, W)`; with a palette of colours, uint8 `(H, W, 3)`; with
                "grey", either.
            file: the name for errors.

        Returns:
            int32 `(H, W)`: class ids, -1 for void, not checked against a number of classes.

        Raises:
            ValueError: if `remap` or `palette` lacks a number or colour in the file.
        """
        labels = np.asarray(labels)
        if self.colors is not None:
            return self._of_colors(labels, file)
        if self.grey and labels.ndim == 3:
            labels = grey_ids(labels, file)
        small = labels.dtype.kind == "u" and labels.dtype.itemsize <= 2
        if small or (labels.min() >= 0 and labels.max() < TABLE):
            ids = self._table.take(labels)
        else:
            values, places = np.unique(labels, return_inverse=True)
            ids = self._of_numbers(values.astype(np.int64))[places.reshape(labels.shape)]
        if ids.min() == self._UNKNOWN:
            unknown = np.unique(labels[ids == self._UNKNOWN])
            raise ValueError(f"{file}: ids that are neither in remap nor void: {some(unknown)}")
        return ids

    def byte_table(self, num_classes: int, void_class: bool) -> np.ndarray:
        """uint8 class ids of the numbers 0..255; `num_classes` is void, 255 an error."""
        arguments, table = self._byte_table
        if arguments != (num_classes, void_class):
            ids = self._of_numbers(np.arange(256))
            void = ids == self.VOID
            ids[(ids < 0) | (ids >= num_classes)] = NOT_A_BYTE
            ids[void] = num_classes if void_class else NOT_A_BYTE
            table = ids.astype(np.uint8)
            self._byte_table = (num_classes, void_class), table
        return table

    def _of_colors(self, labels, file):
        if labels.ndim != 3 or labels.shape[2] != 3 or labels.dtype != np.uint8:
            raise ValueError(
                f"{file}: with a palette, labels must be uint8 (H, W, 3), got {labels.dtype} "
                f"{labels.shape}"
            )
        codes = color_codes(labels)
        ids = self._color_table.take(codes).astype(np.int32)
        if ids.min() == self._UNKNOWN:
            unknown = ids == self._UNKNOWN
            wrong = np.unique(codes[unknown])
            share = 100 * np.count_nonzero(unknown) / unknown.size
            colors = [tuple(int(c) for c in color_of(code)) for code in wrong[:3]]
            listed = ", ".join(map(str, colors)) + (", ..." if len(wrong) > 3 else "")
            raise ValueError(
                f"{file}: {share:.2g} % of the pixels have one of {len(wrong)} colours that are "
                f"not in the palette, or neither in remap nor void: {listed}. Was the file saved "
                "as JPEG, or resized with smoothing?"
            )
        return ids

    def _of_numbers(self, numbers):
        """Maps int64 numbers to int32 class ids, `VOID` or `_UNKNOWN`."""
        if self.remap is None:
            ids = numbers + self.offset
            # A number below 0 is not a class, and must not be mistaken for void.
            ids[ids < 0] = NO_CLASS
            ids = np.minimum(ids, NO_CLASS)
        else:
            ids = np.array([self.remap.get(int(n), self._UNKNOWN) for n in numbers], np.int64)
        ids[np.isin(numbers, self.void_labels)] = self.VOID
        return ids.astype(np.int32)

    @functools.cached_property
    def _table(self):
        return self._of_numbers(np.arange(TABLE))

    @functools.cached_property
    def _color_table(self):
        ids = self._of_numbers(np.array(list(self.colors.values()), np.int64))
        dtype = np.int16 if ids.max() <= np.iinfo(np.int16).max else np.int32
        table = np.full(COLORS, self._UNKNOWN, dtype)
        table[color_codes(np.array(list(self.colors), np.uint8))] = ids
        return table


def color_codes(colors: np.ndarray) -> np.ndarray:
    """One int32 code for each RGB colour of uint8 `(..., 3)`."""
    red, green, blue = (colors[..., channel].astype(np.int32) for channel in range(3))
    return (red << 16) | (green << 8) | blue


def color_of(code: int) -> tuple[int, int, int]:
    """The `(r, g, b)` of a code."""
    return code >> 16, code >> 8 & 255, code & 255


def some(values: Sequence, most: int = 5) -> str:
    """The first of many values, for a message."""
    return ", ".join(map(str, values[:most])) + (", ..." if len(values) > most else "")


def _integer(name, value):
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must contain integers, got {value!r}") from None
    if not -(2**31) <= number < 2**31:
        raise ValueError(f"{name} must contain 32-bit integers, got {value!r}")
    return number


def _integers(name, values):
    if values is None:
        return []
    if isinstance(values, (list, tuple, set, frozenset, range, np.ndarray)):
        return [_integer(name, value) for value in values]
    return [_integer(name, values)]


def _checked_palette(palette):
    """A dict colour -> number."""
    if not isinstance(palette, (Mapping, list, tuple, np.ndarray)):
        raise ValueError(
            f"palette must be a sequence or dict of colours, got {palette!r}; "
            '"grey" means ids, the same in all three channels'
        )
    if not isinstance(palette, Mapping):
        colors = [tuple(np.ravel(color).tolist()) for color in palette]
        palette = {color: number for number, color in enumerate(colors)}
        if len(palette) != len(colors):
            twice = next(color for color in palette if colors.count(color) > 1)
            raise ValueError(f"palette: the colour {twice} occurs twice")
    for color in palette:
        channels = color if isinstance(color, tuple) else ()
        if len(channels) != 3 or not all(isinstance(c, int) and 0 <= c <= 255 for c in channels):
            raise ValueError(f"palette must contain colours (r, g, b) of 0..255, got {color!r}")
    if not palette:
        raise ValueError("palette must contain at least one colour")
    return {color: _integer("palette", number) for color, number in palette.items()}
