"""Finds the image, label and instance files that belong together, by their names."""

import logging
import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

from keras_spade.datasets.folders.files_below import files_below
from keras_spade.datasets.folders.naming import how_names_differ
from keras_spade.datasets.folders.parts import (
    has_wildcards,
    named_folders,
    nearest_folder,
    some_folders_in,
)

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp")
LABEL_SUFFIXES = (".bmp", ".npy", ".png", ".tif", ".tiff")
LOSSY_SUFFIXES = (".jpeg", ".jpg")
# Only this folder may be missing, because the caller did not name it.
INSTANCE_FOLDER = "instances"


@dataclass(frozen=True)
class Files:
    """The files of one kind: those in `folder` and its subfolders whose stem ends with `ending`.

    A file's name is its path in the folder without `ending` and suffix. With `within`, the argument
    `<kind>_folder` of `paired_folders`, the files are in the folder of this name in `folder`, or in
    all folders that match it as a pattern; names then begin with the part.
    """

    kind: str
    folder: Path
    ending: str = ""
    suffixes: tuple = LABEL_SUFFIXES
    within: str = ""

    @property
    def place(self) -> Path:
        """Where the files are, for messages."""
        return self.folder / self.within

    @property
    def folders(self) -> list[tuple[str, Path]]:
        """The folders that contain the files, as a list of `(part, path)`."""
        return named_folders(self.folder, self.within)

    def shown(self, path: str | os.PathLike) -> str:
        """The path of a file as messages show it."""
        return os.path.relpath(path, self.folder if has_wildcards(self.within) else self.place)


def own_files(
    directory: Path,
    image_folder: str,
    label_folder: str,
    instance_folder: str,
    instances: bool | str = "auto",
) -> tuple[Files, Files, Files | None]:
    """The `Files` of images, labels and instances (or `None`) that `paired_folders` reads.

    If images and labels share a folder, the photographs are the files with lossy compression.
    """
    found = Files("instance", directory, within=instance_folder)
    if instances == "auto":
        instances = instance_folder != INSTANCE_FOLDER or bool(found.folders)
    together = os.path.normpath(image_folder) == os.path.normpath(label_folder)
    suffixes = (*LOSSY_SUFFIXES, ".webp") if together else IMAGE_SUFFIXES
    return (
        Files("image", directory, suffixes=suffixes, within=image_folder),
        Files("label", directory, within=label_folder),
        instance_folder_or_none(directory, instances) and found,
    )


@dataclass
class Listing:
    """The samples of a dataset, and the files that belong to none.

    `samples` is a sequence of `(image, label)` or, `with_instances`, `(image, label, instance)`,
    sorted by name; `problems` maps skipped files to reasons; `names` are the names of the samples.
    """

    samples: list
    problems: dict = field(default_factory=dict)
    with_instances: bool = False
    names: list = field(default_factory=list)


def pair_files(
    images: Files,
    labels: Files,
    instances: Files | None = None,
    on_bad_file: str = "error",
    keep: Callable[[str], bool] | None = None,
) -> Listing:
    """Lists the samples of some `Files`, sorted by name.

    Args:
        images: `Files`, with suffixes other than `LABEL_SUFFIXES`.
        labels: `Files`.
        instances: `Files`, or `None`.
        on_bad_file: "error" or "skip".
        keep: function of a name that returns whether to keep it; `None`: keep all.

    Raises:
        ValueError: if a folder is missing or empty, or, with "error", two files in a folder share
            a name or a file has no partner in another folder.
    """
    if on_bad_file not in ("error", "skip"):
        raise ValueError(f'on_bad_file must be "error" or "skip", got {on_bad_file!r}')
    problems, messages = {}, []
    sets = [files for files in (images, labels, instances) if files is not None]
    found, rejected = zip(*(files_by_name(f, problems, messages, keep) for f in sets), strict=True)
    for mine, theirs in permutations(zip(sets, found, rejected, strict=True), 2):
        _without_partner(*mine[:2], *theirs, problems, messages)
    if messages and on_bad_file == "error":
        rest = f" ({len(problems)} files in all; inspect_dataset lists them)"
        raise ValueError(messages[0] + (rest if len(problems) > 1 else ""))
    for message in messages:
        report_skipped(message)
    common = sorted(set.intersection(*map(set, found)))
    samples = {name: tuple(str(names[name]) for names in found) for name in common}
    for sample in samples.values():
        if twice := [file for file in sample if file in problems]:
            for file in sample:
                problems.setdefault(file, f"{file}: not used, because {problems[twice[0]]}")
    samples = {name: sample for name, sample in samples.items() if sample[0] not in problems}
    if not samples:
        raise ValueError(
            f"no {images.kind} in {images.place} has a {labels.kind} with the same name in "
            f"{labels.place}" + "".join(f"; {message}" for message in messages[:1])
        )
    return Listing(list(samples.values()), problems, instances is not None, list(samples))


def instance_folder_or_none(
    folder: str | os.PathLike, instances: bool | str
) -> str | os.PathLike | None:
    """Returns `folder` if `instances` ("auto", True or False) means to read it."""
    if instances == "auto":
        return folder if Path(folder).is_dir() else None
    if instances is True or instances is False:
        return folder if instances else None
    raise ValueError(f'instances must be "auto", True or False, got {instances!r}')


def existing_directory(directory: str | os.PathLike) -> Path:
    """Returns `directory` as an absolute `Path`; raises ValueError if it does not exist."""
    if not isinstance(directory, (str, os.PathLike)):
        raise ValueError(f"directory must be the path of a folder, got {directory!r}")
    path = Path(directory).expanduser()
    if not os.path.isdir(path):
        there = some_folders_in(nearest_folder(path.absolute()))
        raise ValueError(f"directory must be an existing folder, got {str(directory)!r}; {there}")
    return path.absolute()


def report_skipped(message: str) -> None:
    """Logs a skipped file."""
    logging.getLogger("keras_spade").warning("Skipped: %s", printable(message))


def printable(text: Any) -> str:
    """A file name or message that can be printed and encoded, whatever bytes it contains."""
    return os.fsencode(str(text)).decode("utf-8", "backslashreplace")


def files_by_name(
    files: Files,
    problems: dict[str, str],
    messages: list[str],
    keep: Callable[[str], bool] | None = None,
) -> tuple[dict[str, str], dict[str, str]]:
    """Returns a dict name -> path of the files, and one of the files that are not of this kind.

    Files that share a name are noted as problems.
    """
    found, others, unreadable, unwanted = {}, {}, {}, 0
    for name, path in _named(files, unreadable):
        stem, suffix = os.path.splitext(path)
        if suffix.lower() not in files.suffixes or not stem.endswith(files.ending):
            others[name] = path
        elif keep is None or keep(name):
            found.setdefault(name, []).append(path)
        else:
            unwanted += 1
    problems |= unreadable
    messages += unreadable.values()
    if not found:
        wanted = ", ".join(files.ending + suffix for suffix in files.suffixes)
        there = _some([files.shown(path) for path in sorted(others.values())])
        reason = "".join(f"; {message}" for message in unreadable.values())
        if others and all(path.lower().endswith(LOSSY_SUFFIXES) for path in others.values()):
            reason = "; JPEG is not suitable for ids: its compression changes them"
        if unwanted:
            there = f"{unwanted}, none of which shows one of the requested scenes"
        raise ValueError(
            f"no {files.kind} files ({wanted}) in {files.place}, which contains "
            f"{there or 'no files'}{reason}"
        )
    for name, paths in list(found.items()):
        if len(paths) > 1:
            paths = sorted(paths)
            listed = " and ".join(map(files.shown, paths))
            messages.append(f"two {files.kind} files with the same stem in {files.place}: {listed}")
            problems |= dict.fromkeys(paths, messages[-1])
        found[name] = paths[0]
    return found, others


def _named(files, unreadable):
    """The files in the folders of a kind, as `(name, path)`, with any suffix and ending."""
    folders = files.folders
    if not folders:
        message = (
            f"no folder {files.place}: it should contain the {files.kind} files; "
            f"{some_folders_in(nearest_folder(files.place))}"
        )
        if any(path.lower().endswith(IMAGE_SUFFIXES) for path in _files_in(files.folder)):
            message += ", but files: if they are images or labels, pass the folder above it"
        if files.within:
            message += (
                f"; use {files.kind}_folder for another one, or several, such as '*/{files.kind}s'"
            )
        raise ValueError(message)
    for part, folder in folders:
        begin = len(str(folder)) + 1
        for path in files_below(str(folder), unreadable):
            name = os.path.splitext(path[begin:])[0].removesuffix(files.ending)
            # "ä" may be one character or two; macOS writes two.
            yield unicodedata.normalize("NFC", os.path.join(part, name)), path


def _files_in(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _without_partner(files, names, others, partners, rejected, problems, messages):
    """Notes the files that have no partner."""
    missing = sorted(name for name in names if name not in partners)
    if not missing:
        return
    for name in missing:
        reason = f"{names[name]}: no {others.kind} with the same stem in {others.place}"
        problems.setdefault(names[name], reason + _why_rejected(rejected.get(name), others))
    listed = _some([files.shown(names[name]) for name in missing])
    why = next((_why_rejected(rejected[name], others) for name in missing if name in rejected), "")
    theirs = [name for name in partners if name not in names]
    why = why or how_names_differ(missing, theirs, (files.kind, others.kind))
    messages.append(
        f"{len(missing)} of {len(names)} files in {files.place} have no {others.kind} with the "
        f"same stem in {others.place}: {listed}{why}"
    )


def _why_rejected(path, files):
    """Why a file with the right stem is not one of `files`; empty without such a file."""
    if path is None:
        return ""
    if path.lower().endswith(LOSSY_SUFFIXES) and files.kind != "image":
        return f"; {path} is a JPEG, whose compression changes ids"
    return f"; {path} is not one of {', '.join(files.suffixes)}"


def _some(names, most=5):
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
