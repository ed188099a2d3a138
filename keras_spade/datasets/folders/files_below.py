"""Lists the files in a folder and its subfolders."""

import os
from collections.abc import Iterator
from pathlib import Path

MOST_LINKS = 2


def files_below(folder: str, unreadable: dict[str, str]) -> Iterator[str]:
    """The files in a folder and its subfolders, without hidden ones.

    Links are followed, but not to a folder above them, and not more than two nested ones; otherwise
    folders that link to each other would be walked along all their paths. Folders that cannot be
    read are noted in the dict `unreadable`.
    """
    real = Path(os.path.realpath(folder))
    folders = [(folder, frozenset(map(str, (real, *real.parents))), 0)]
    while folders:
        folder, above, links = folders.pop()
        try:
            with os.scandir(folder) as entries:
                entries = sorted(entries, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            unreadable[folder] = f"{folder}: the folder cannot be read: {error.strerror}"
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            try:
                is_folder = entry.is_dir()
            except OSError:  # a link to itself
                is_folder = False
            if not is_folder:
                yield entry.path
                continue
            real, further = os.path.realpath(entry.path), links + entry.is_symlink()
            if real not in above and further <= MOST_LINKS:
                folders.append((entry.path, above | {real}, further))
