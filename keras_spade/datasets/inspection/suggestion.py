"""Suggests how to load files, given the ids or colours found in them."""

import inspect
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_spade.datasets.folders.advice import MASKS
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.paired_folders import paired_folders
from keras_spade.datasets.folders.sample_reader import SampleReader, chosen_mapping
from keras_spade.datasets.inspection.dataset_report import DatasetReport
from keras_spade.datasets.inspection.sample_facts import MOST_COLORS
from keras_spade.datasets.inspection.sizes import suggest_sizes

# At most this many ids with gaps are renumbered; of more, the missing ones are probably in other
# files.
MOST_REMAPPED = 8
FEWEST_SAMPLES = 10
# -1 as an unsigned number of 8 and 16 bits.
LARGEST = (255, 65535)
FROM_ONE = (
    "the ids begin at 1. If no part of the data contains 0, or 0 is void, "
    "LabelMapping(palette='grey', offset=-1, void_labels=0) counts from 0, with one class fewer"
)


@dataclass
class Suggestion:
    """Arguments of `paired_folders`, with notes on them."""

    arguments: dict
    notes: list = field(default_factory=list)

    @property
    def reader(self) -> SampleReader:
        """The reader of samples with these arguments."""
        num_classes = self.arguments["num_classes"]
        mapping = self.arguments.get("label_mapping")
        return SampleReader(
            num_classes,
            self.arguments["image_size"],
            label_mapping=chosen_mapping(
                num_classes, self.arguments.get("void_label", 255), mapping
            ),
            void_class=self.arguments.get("void_class", False),
            allow_smooth_labels=True,  # Already checked.
            image_channels=self.arguments.get("image_channels", 3),
            image_range=self.arguments.get("image_range"),
        )


def suggest(
    pixels: Mapping[Any, float], image_sizes: Mapping[tuple[int, int], int], grey: bool = False
) -> Suggestion | None:
    """The `Suggestion` for a folder; `None` if its labels cannot be loaded.

    Args:
        pixels: dict id or colour -> share of pixels.
        image_sizes: dict `(height, width)` -> number of images.
        grey: whether ids are in three channels.
    """
    kinds = {isinstance(value, tuple) for value in pixels}
    if len(kinds) != 1:
        return None
    found = _colors(pixels) if True in kinds else _grey(pixels) if grey else _ids(pixels)
    if found is None:
        return None
    sizes = suggest_sizes(image_sizes)
    num_classes, image_size = found.arguments.pop("num_classes"), sizes.arguments.pop("image_size")
    found.arguments = {
        "num_classes": num_classes,
        "image_size": image_size,
        **found.arguments,
        **sizes.arguments,
        "flip": True,
    }
    found.notes += sizes.notes
    found.notes.append(
        "this is based on these label maps only: if other parts of the data contain more "
        "classes, use the same, larger num_classes and the same label_mapping for all of them"
    )
    return found


def image_arguments(report: DatasetReport) -> tuple[dict[str, Any], list[str]]:
    """The arguments of `paired_folders` that read the images of a `DatasetReport`, and notes."""
    channels = {count for count, _ in report.image_kinds}
    arguments, notes = {}, []
    if len(channels) == 1 and channels != {3}:
        arguments["image_channels"] = channels.pop()
        shape = f"(height, width, {arguments['image_channels']})"
        notes.append(f"networks for these images need image_shape={shape}")
    if any(kind != "uint8" for _, kind in report.image_kinds):
        low, high = arguments["image_range"] = report.image_range
        if low == high:  # No range: use the smallest that contains the value and 0.
            arguments["image_range"] = (min(low, 0), max(low, 0)) if low else (0, 1)
            notes.append(f"all pixels of all images are {low}: image_range is a guess")
            return arguments, notes
        notes.append(
            "image_range is the range of the values found: for all parts of the data, set the same "
            "range, that of all possible values, or the part of it that should be visible"
        )
    return arguments, notes


def stray_id(report: DatasetReport) -> int | None:
    """The largest id if it is rare and far above the others; else, or for few files, `None`."""
    if any(isinstance(value, tuple) for value in report.pixels):
        return None
    *others, largest = sorted(set(report.pixels) - set(LARGEST)) or [0]
    few = report.images.get(largest, 0) <= report.samples / 100 + 1
    if report.samples < FEWEST_SAMPLES or len(others) < 2 or not few:
        return None
    return largest if largest + 1 > 2 * (others[-1] + 1) else None


def call_text(function: Callable, arguments: Mapping[str, Any]) -> str:
    """The text of a call to a function of this package, without default arguments."""
    defaults = defaults_of(function)
    texts = []
    for name, value in arguments.items():
        value = plain(value)
        if name == "directory":
            texts.append(repr(value))
        elif name == "split" or name not in defaults or value != defaults[name]:
            texts.append(f"{name}={_text(value)}")
    begin = f"keras_spade.datasets.{function.__name__}("
    line = begin + ", ".join(texts) + ")"
    return line if len(line) <= 100 else "\n    ".join([begin, *(f"{t}," for t in texts)]) + "\n)"


def defaults_of(function: Callable) -> dict[str, Any]:
    """The defaults of the arguments of a function of this package and of `paired_folders`."""
    parameters = {**inspect.signature(paired_folders).parameters}
    parameters |= inspect.signature(function).parameters
    return {name: parameter.default for name, parameter in parameters.items()}


def plain(value: Any) -> Any:
    """Converts NumPy values to Python values, paths to strings, and sets to sorted lists."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value.item() if isinstance(value, np.generic) else value


def _text(value):
    return f"keras_spade.datasets.{value!r}" if isinstance(value, LabelMapping) else repr(value)


def _colors(pixels):
    if len(pixels) > MOST_COLORS:
        return None
    mapping = LabelMapping(palette=sorted(pixels), void_labels=None)
    return Suggestion(
        {"num_classes": len(pixels), "label_mapping": mapping},
        [
            "classes are numbered by the red, green and blue of their colours. If one means void, "
            "make palette a dict colour -> class id, void -> 255, and add void_class=True"
        ],
    )


def _grey(pixels):
    """Like `_ids`, for ids in three channels, which stay unchanged even if some are missing."""
    ids = sorted(pixels)
    if tuple(ids) in MASKS:
        return _renumbered(
            ids,
            [f"{_listed(ids)} were read as the classes of a mask, none as void"],
            palette="grey",
        )
    voids = [ids.pop()] if len(ids) > 1 and ids[-1] == 255 and ids[-2] < 254 else []
    notes = [f"{_listed(voids)} was read as void"] if voids else []
    if ids[-1] + 1 > 2 * len(ids):
        remap = {value: number for number, value in enumerate(ids)}
        notes.append(
            "the label maps contain ids, the same in all three channels. If these are shades of "
            f"{len(ids)} classes instead, use LabelMapping(palette='grey', remap={remap})"
        )
    if ids[0] == 1:
        notes.append(FROM_ONE)
    mapping = LabelMapping(palette="grey", void_labels=voids or None)
    void = {"void_class": True} if voids else {}
    return Suggestion({"num_classes": ids[-1] + 1, "label_mapping": mapping, **void}, notes)


def _ids(pixels):
    ids = sorted(value for value in pixels if value >= 0)
    if tuple(sorted(pixels)) in MASKS:
        return _renumbered(
            ids, [f"{_listed(ids)} were read as the classes of a mask, none as void"]
        )
    voids = [value for value in pixels if value < 0]
    for largest in reversed(LARGEST):
        if len(ids) > 1 and ids[-1] == largest and ids[-2] < largest - 1:
            voids.append(ids.pop())
    if not ids:
        return None
    void = {"void_class": True} if voids else {}
    notes = [f"{_listed(voids)} was read as void"] if voids else []
    sparse = ids[-1] + 1 > 2 * len(ids)
    if sparse and (len(ids) <= MOST_REMAPPED or math.gcd(*ids) > 1 or ids[-1] >= 2**12):
        if len(ids) > MOST_COLORS:
            return None
        return _renumbered(ids, notes, voids)
    if ids[0] == 1 and not sparse:
        mapping = LabelMapping(offset=-1, void_labels=voids or None)
        notes.append("the ids begin at 1. If 0 is void in other parts, add it to void_labels")
        return Suggestion({"num_classes": ids[-1], "label_mapping": mapping, **void}, notes)
    if len(voids) > 1:
        void["label_mapping"] = LabelMapping(void_labels=voids)
    elif voids != [255]:
        void["void_label"] = voids[0] if voids else None
    return Suggestion({"num_classes": ids[-1] + 1, **void}, notes)


def _renumbered(ids, notes, voids=(), palette=None):
    """A `Suggestion` that numbers the ids in their order."""
    remap = {value: number for number, value in enumerate(ids)}
    mapping = LabelMapping(palette=palette, remap=remap, void_labels=list(voids) or None)
    void = {"void_class": True} if voids else {}
    return Suggestion({"num_classes": len(ids), "label_mapping": mapping, **void}, notes)


def _listed(values):
    return ", ".join(map(str, values))
