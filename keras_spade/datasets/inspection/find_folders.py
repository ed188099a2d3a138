"""Finds photographs and label maps in a folder, by the usual names of their folders."""

import os
import re
import shlex
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_spade.datasets.folders.files_below import files_below
from keras_spade.datasets.folders.pairing import (
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    LOSSY_SUFFIXES,
    Files,
    own_files,
)
from keras_spade.datasets.folders.parts import folders_in

# Usual folders for the parts of one's own data; the first ones are for training.
PARTS = ("train", "training", "val", "validation", "valid", "test", "testing")
# Only lower-case letters. The first folder that contains files of the kind is used.
NAMES = {
    "image": "images image imgs img jpegimages pngimages originalimages originals original photos "
    "photo photographs pictures rgb inputs input frames".split(),
    "label": "labels label masks mask annotations annotation annot gt groundtruth groundtruths "
    "segmentationclass segmentationclassraw segmentationclassaug segmentations segmentation "
    "segmaps segmap seg semantic semantics labelmaps labelmap labelimages labelids targets "
    "target".split(),
    "instance": "instances instance inst segmentationobject instancemaps instanceids".split(),
}
SUFFIXES = {"image": IMAGE_SUFFIXES, "label": LABEL_SUFFIXES, "instance": LABEL_SUFFIXES}
DEFAULTS = {kind: f"{kind}s" for kind in NAMES}
DEEPEST = 3


@dataclass(frozen=True)
class OwnFolders:
    """The folders of a dataset, as arguments of `paired_folders`, with notes on the choice."""

    directory: str | os.PathLike
    image: str
    label: str
    instance: str
    notes: list = field(default_factory=list)

    def files(self, directory: Path) -> tuple[Files, Files, Files | None]:
        """The `Files` of each kind; `None` if there are no instances."""
        return own_files(directory, self.image, self.label, self.instance)

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `paired_folders` that name the folders, without defaults."""
        names = {f"{kind}_folder": getattr(self, kind) for kind in NAMES}
        return {"directory": self.directory} | {
            name: value for name, value in names.items() if value != f"{name[:-7]}s"
        }


@dataclass(frozen=True)
class _Pair:
    """Folders of images and labels in a common folder `above`, or in one for each `part`."""

    above: tuple
    part: str
    names: tuple  # of images, labels, instances


def find_folders(given: OwnFolders, directory: Path) -> OwnFolders | None:
    """The `OwnFolders` to read; `None` if there are none with usual names.

    Args:
        given: `OwnFolders` of the given folders. Existing ones, and those without default names,
            are used unchanged.
        directory: its directory as an absolute path.
    """
    kinds = ("image", "label")
    if all(_holds(files) for files in given.files(directory)[:2]):
        return given
    if all(getattr(given, kind) != DEFAULTS[kind] for kind in kinds):
        return None
    pairs = list(_pairs(given, directory, ()))
    part = min(map(_part, pairs), key=_rank, default="")
    chosen = [pair for pair in pairs if _part(pair) == part]
    if not chosen:
        return _together(given, directory)
    shapes = Counter((len(pair.above), pair.names) for pair in chosen)
    shape = max(shapes, key=shapes.get)
    alike = [pair for pair in chosen if (len(pair.above), pair.names) == shape]
    notes = [
        f"{'/'.join((*pair.above, pair.names[0]))} is another part of the data, which was not "
        "inspected and is not loaded by this call" + _for_validation(given, pair, alike)
        for pair in pairs
        if pair not in alike
    ]
    # Names common to all are kept; others become `*`.
    names_at = map(set, zip(*(pair.above for pair in alike), strict=True))
    levels = [names.pop() if len(names) == 1 else "*" for names in names_at]
    first = next((place for place, name in enumerate(levels) if name == "*"), len(levels))
    within = ["/".join((*levels[first:], name)) if name else given.instance for name in shape[1]]
    return OwnFolders(Path(given.directory).joinpath(*levels[:first]), *within, notes[:3])


def _for_validation(given, pair, alike):
    """The flag that uses a pair for validation, if it can be."""
    fits = [other.names for other in alike] == [pair.names] and pair.above != alike[0].above
    if not fits or _part(pair) not in PARTS[2:5]:
        return ""
    folder = shlex.quote(os.fspath(Path(given.directory).joinpath(*pair.above)))
    return f"; pass it to examples/train.py as --validation_data={folder}"


def _together(given, directory):
    """The first folder that contains photographs and label maps with the same stems, if any."""
    parts = [name for name in folders_in(directory) if name.lower() in PARTS]
    parts.sort(key=lambda name: _rank(name.lower()))
    there = [name for name in (".", *parts) if _pairs_in(directory / name)]
    if not there:
        return None
    notes = [
        f"{name} is another part of the data, which was not inspected and is not loaded by this "
        "call"
        for name in there[1:]
    ]
    return OwnFolders(Path(given.directory) / there[0], ".", ".", given.instance, notes)


def _pairs_in(folder):
    """Whether at least half of the photographs have a label map."""
    photographs, labels = set(), set()
    for name in os.listdir(folder):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in LOSSY_SUFFIXES:
            photographs.add(stem)
        elif suffix.lower() in LABEL_SUFFIXES:
            labels.add(stem)
    return len(photographs) > 0 and len(photographs & labels) * 2 >= len(photographs)


def _holds(files):
    """Whether there are files of this kind in their folders."""
    return any(_has_files(path, files.kind) for _, path in files.folders)


def _has_files(folder, kind):
    return any(
        path.lower().endswith(SUFFIXES[kind]) for path in files_below(str(folder), unreadable={})
    )


def _pairs(given, directory, above):
    """The `_Pair`s in a folder; if there are none, in its subfolders."""
    folder = directory.joinpath(*above)
    names = folders_in(folder)
    found = {}
    for name in names:
        part, kind, rank = _kind(name, given)
        if kind and _has_files(folder / name, kind):
            ranked = found.setdefault(part, {}).setdefault(kind, (rank, name))
            found[part][kind] = min(ranked, (rank, name))
    there = False
    for part, kinds in found.items():
        if "image" in kinds and "label" in kinds:
            there = True
            yield _Pair(above, part, tuple(kinds.get(kind, (0, ""))[1] for kind in NAMES))
    if not there and len(above) < DEEPEST:
        for name in names:
            yield from _pairs(given, directory, (*above, name))


def _kind(name, given):
    """The part and kind of a folder according to its name, and how usual the name is."""
    letters = re.sub("[^a-z]", "", name.lower())
    for kind in NAMES:
        own = getattr(given, kind)
        if own != DEFAULTS[kind] and own == name:
            return "", kind, 0
    for part in ("", *sorted(PARTS, key=len, reverse=True)):
        begins = letters.startswith(part)
        rest = letters.removeprefix(part) if begins else letters.removesuffix(part)
        if part and rest == letters:
            continue
        for kind, usual in NAMES.items():
            if rest in usual and getattr(given, kind) == DEFAULTS[kind]:
                return part, kind, usual.index(rest)
        if part and not rest:
            return part, "image", len(NAMES["image"])
    return "", None, 0


def _part(pair):
    """The part of the data to which a pair belongs; "" if it has no usual name."""
    return pair.part or next((n.lower() for n in pair.above if n.lower() in PARTS), "")


def _rank(part):
    """Sorts training sets first, then folders that are not a part, then the others."""
    return PARTS.index(part) + 3 * (part not in PARTS[:2]) if part else 2
