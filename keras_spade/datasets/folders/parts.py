"""Folders that match a pattern, such as `*/images`."""

import os
import re
from pathlib import Path

WILDCARDS = re.compile(r"([*?])")


def has_wildcards(pattern: str | os.PathLike) -> bool:
    """Whether a pattern may name several folders."""
    return WILDCARDS.search(str(pattern)) is not None


def named_folders(folder: Path, pattern: str | os.PathLike) -> list[tuple[str, Path]]:
    """The folders in `folder` that match a pattern, as a sorted list of `(part, path)`.

    `*` matches any characters within one name, `?` a single one. The part is the text they match:
    "Tile 1" if `*/images` matches `Tile 1/images`; "" without wildcards. If a folder has exactly
    the pattern as its name, it is the only match.

    Example:

    >>> import pathlib, tempfile
    >>> from keras_spade.datasets.folders.parts import named_folders
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "Tile 1" / "images").mkdir(parents=True)
    >>> [(part, path.name) for part, path in named_folders(folder, "*/images")]
    [('Tile 1', 'images')]
    """
    if (folder / pattern).is_dir():
        return [("", folder / pattern)]
    if not has_wildcards(pattern):
        return []
    found = [((), folder)]
    for name in Path(pattern).parts:
        found = [
            (parts + more, path / there)
            for parts, path in found
            for more, there in _matches(path, name)
        ]
    return sorted(("/".join(parts), path) for parts, path in found if path.is_dir())


def folders_in(folder: str | os.PathLike) -> list[str]:
    """Names of the subfolders, without hidden ones; none if the folder cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if not _hidden(e.name) and _is_folder(e))
    except OSError:
        return []


def some_folders_in(folder: str | os.PathLike, most: int = 8) -> str:
    """Lists the subfolders, as the end of a message."""
    names = folders_in(folder)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{folder} contains {', '.join(names[:most]) or 'no folders'}{rest}"


def nearest_folder(path: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next((above for above in (path, *path.parents) if above.is_dir()), path)


def _matches(folder, name):
    """The names in a folder that match a pattern, each with the text its wildcards match."""
    if not has_wildcards(name):
        return [((), name)]
    groups = {"*": "(.*)", "?": "(.)"}
    pattern = "".join(groups.get(piece) or re.escape(piece) for piece in WILDCARDS.split(name))
    matches = ((re.fullmatch(pattern, there, re.DOTALL), there) for there in folders_in(folder))
    return [(match.groups(), there) for match, there in matches if match]


def _hidden(name):
    return name.startswith(".") or name == "__MACOSX"


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
