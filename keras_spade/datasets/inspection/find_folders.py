"""Finds photographs and label maps in a folder, by the usual names of their folders."""

import os
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
from keras_spade.datasets.folders.side_by_side import flat_share
from keras_spade.datasets.inspection.folder_names import PARTS, FolderName, read_name

KINDS = ("image", "label", "instance")
SUFFIXES = {"image": IMAGE_SUFFIXES, "label": LABEL_SUFFIXES, "instance": LABEL_SUFFIXES}
DEFAULTS = {kind: f"{kind}s" for kind in KINDS}
LETTERS = (("a", "b"), ("x", "y"))
DEEPEST = 3
LOOKED_AT = 8


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
        names = {f"{kind}_folder": getattr(self, kind) for kind in KINDS}
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
    if not pairs:
        if found := _together(given, directory):
            return found
        # Label maps that are JPEG are refused when they are listed.
        pairs = list(_pairs(given, directory, (), _lettered))
        pairs = pairs or list(_pairs(given, directory, (), _with_spoilt_labels))
    if not pairs:
        return None
    part = min(map(_part, pairs), key=_rank, default="")
    chosen = [pair for pair in pairs if _part(pair) == part]
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
    return any(_has_files(path, SUFFIXES[files.kind]) for _, path in files.folders)


def _has_files(folder, suffixes):
    return any(path.lower().endswith(suffixes) for path in files_below(str(folder), unreadable={}))


def _named(given, folder, names, suffixes=SUFFIXES):
    """The parts and names of folders whose names say what they hold, and which hold it."""
    found = {}
    for name in names:
        read = _name(name, given)
        if read.kind and _has_files(folder / name, suffixes[read.kind]):
            kinds = found.setdefault((read.part, read.rest), {})
            ranked = read.rank, name
            kinds[read.kind] = min(kinds.get(read.kind, ranked), ranked)
    for (part, _), kinds in found.items():
        if "image" in kinds and "label" in kinds:
            yield part, tuple(kinds.get(kind, ((), ""))[1] for kind in KINDS)


def _with_spoilt_labels(given, folder, names):
    """The same, if label maps are JPEG."""
    return _named(given, folder, names, SUFFIXES | {"label": LOSSY_SUFFIXES})


def _lettered(given, folder, names):
    """The same, for pairs of folders like `trainA` and `trainB`, of which one has flat areas."""
    if (given.image, given.label) != (DEFAULTS["image"], DEFAULTS["label"]):
        return
    for part in ("", *PARTS):
        for letters in LETTERS:
            pair = [name for name in names for x in letters if _letters(name) == part + x]
            if len(pair) != 2:
                continue
            stems = [_stems(folder / name) for name in pair]
            common = sorted({*stems[0]} & {*stems[1]})[:LOOKED_AT]
            if not common or len(common) * 2 < min(map(len, (*stems, range(LOOKED_AT)))):
                continue
            flat = [sum(flat_share(found[stem]) for stem in common) for found in stems]
            exact = [_has_files(folder / name, LABEL_SUFFIXES) for name in pair]
            labels = max((0, 1), key=lambda side: (exact[side], flat[side]))
            if exact[labels]:
                yield part, (pair[1 - labels], pair[labels], "")


def _letters(name):
    return "".join(letter for letter in name.lower() if letter.isalpha())


def _stems(folder):
    """A dict stem -> path of the images directly in a folder."""
    names = sorted(name for name in os.listdir(folder) if name.lower().endswith(IMAGE_SUFFIXES))
    return {os.path.splitext(name)[0]: folder / name for name in names}


def _pairs(given, directory, above, find=_named):
    """The `_Pair`s that `find` finds in a folder; if there are none, in its subfolders."""
    folder = directory.joinpath(*above)
    names = folders_in(folder)
    there = False
    for part, pair in find(given, folder, names):
        there = True
        yield _Pair(above, part, pair)
    if not there and len(above) < DEEPEST:
        for name in names:
            yield from _pairs(given, directory, (*above, name), find)


def _name(name, given):
    """The `FolderName` of a folder; one that the caller named is what the caller says."""
    for kind in KINDS:
        own = getattr(given, kind)
        if own != DEFAULTS[kind] and own == name:
            return FolderName(kind)
    read = read_name(name)
    known = read.kind is None or getattr(given, read.kind) == DEFAULTS[read.kind]
    return read if known else FolderName(None)


def _part(pair):
    """The part of the data to which a pair belongs; "" if it has no usual name."""
    return pair.part or next(filter(None, (read_name(n).part for n in pair.above)), "")


def _rank(part):
    """Sorts training sets first, then folders that are not a part, then the others."""
    return PARTS.index(part) + 3 * (part not in PARTS[:2]) if part else 2
