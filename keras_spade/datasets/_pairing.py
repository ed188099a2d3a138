"""Find the image, label and instance files that belong together: those of the same name."""

import logging
import os
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
LABEL_SUFFIXES = (".bmp", ".npy", ".png", ".tif", ".tiff")
LOSSY_SUFFIXES = (".jpeg", ".jpg")


@dataclass(frozen=True)
class Files:
    """The files of one kind: those in `folder`, and the folders in it, whose stem ends so.

    A file's name is its path in the folder without `ending` and suffix.
    """

    kind: str
    folder: Path
    ending: str = ""
    suffixes: tuple = LABEL_SUFFIXES


@dataclass
class Listing:
    """The samples of a dataset, and the files that belong to none.

    `samples` is a sequence of `(image, label)` or, `with_instances`, `(image, label, instance)`,
    sorted by name; `problems` maps files to why they are left out.
    """

    samples: list
    problems: dict = field(default_factory=dict)
    with_instances: bool = False


def pair_files(images, labels, instances=None, on_bad_file="error", keep=None):
    """Lists the samples of some `Files`, sorted by name.

    Args:
        images: `Files`; of other suffixes than `LABEL_SUFFIXES`.
        labels: `Files`.
        instances: `Files`, or `None`.
        on_bad_file: "error" or "skip".
        keep: function of a name, whether it is wanted; `None`: all are.

    Raises:
        ValueError: if a folder is missing or empty, or, with "error", two files of a folder share
            a name, or a file has no partner in another folder.
    """
    if on_bad_file not in ("error", "skip"):
        raise ValueError(f'on_bad_file must be "error" or "skip", got {on_bad_file!r}')
    problems, messages = {}, []
    sets = [files for files in (images, labels, instances) if files is not None]
    found = [_by_name(files, problems, messages, keep) for files in sets]
    for (files, names), (others, partners) in permutations(zip(sets, found, strict=True), 2):
        _without_partner(files, names, others, partners, problems, messages)
    if messages and on_bad_file == "error":
        rest = f" ({len(problems)} files in all; inspect_dataset lists them)"
        raise ValueError(messages[0] + (rest if len(problems) > 1 else ""))
    for message in messages:
        report_skipped(message)
    common = sorted(set.intersection(*map(set, found)))
    samples = [tuple(str(names[name]) for names in found) for name in common]
    samples = [sample for sample in samples if not any(file in problems for file in sample)]
    if not samples:
        raise ValueError(
            f"no {images.kind} in {images.folder} has a {labels.kind} of the same name in "
            f"{labels.folder}" + "".join(f"; {message}" for message in messages[:1])
        )
    return Listing(samples, problems, instances is not None)


def instance_folder_or_none(folder, instances):
    """Returns `folder` if the choice `instances` ("auto", True, False) means to read it."""
    if instances == "auto":
        return folder if Path(folder).is_dir() else None
    if instances is True or instances is False:
        return folder if instances else None
    raise ValueError(f'instances must be "auto", True or False, got {instances!r}')


def existing_directory(directory):
    """Returns `directory` as an absolute `Path`; a ValueError if there is none."""
    path = Path(directory).expanduser()
    if not path.is_dir():
        raise ValueError(f"directory must be an existing folder, got {str(directory)!r}")
    return path.absolute()


def report_skipped(message):
    """Says on the log what is left out."""
    logging.getLogger("keras_spade").warning("Skipped: %s", printable(message))


def printable(text):
    """A file name or message that can be printed and encoded, whatever bytes the name has."""
    return os.fsencode(str(text)).decode("utf-8", "backslashreplace")


def _by_name(files, problems, messages, keep):
    """A dict name -> path; of the files that share one, none, but a problem."""
    if not files.folder.is_dir():
        raise ValueError(f"no folder {files.folder}: it should hold the {files.kind} files")
    found, others = {}, []
    folder = str(files.folder)
    for path in _walk(folder, ()):
        stem, suffix = os.path.splitext(path)
        if suffix.lower() not in files.suffixes or not stem.endswith(files.ending):
            others.append(path)
            continue
        name = stem[len(folder) + 1 :].removesuffix(files.ending)
        if keep is None or keep(name):
            found.setdefault(name, []).append(path)
    if not found:
        wanted = ", ".join(files.ending + suffix for suffix in files.suffixes)
        there = _some([os.path.relpath(path, files.folder) for path in sorted(others)])
        reason = ""
        if others and all(path.lower().endswith(LOSSY_SUFFIXES) for path in others):
            reason = "; JPEG is no format for ids: its compression changes them"
        raise ValueError(
            f"no {files.kind} files ({wanted}) in {files.folder}, which holds "
            f"{there or 'no files'}{reason}"
        )
    for name, paths in list(found.items()):
        if len(paths) > 1:
            paths = sorted(paths)
            listed = " and ".join(os.path.relpath(path, files.folder) for path in paths)
            messages.append(f"two {files.kind} files of the same stem in {files.folder}: {listed}")
            problems |= dict.fromkeys(paths, messages[-1])
        found[name] = paths[0]
    return found


def _walk(folder, parents):
    """The files in a folder and its folders, without hidden ones; links to a parent end there."""
    real = os.path.realpath(folder)
    if real in parents:
        return
    with os.scandir(folder) as entries:
        entries = sorted(entries, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        try:
            is_folder = entry.is_dir()
        except OSError:  # a link that leads to itself
            is_folder = False
        if is_folder:
            yield from _walk(entry.path, (*parents, real))
        else:
            yield entry.path


def _without_partner(files, names, others, partners, problems, messages):
    """Notes the files that have no partner among others."""
    missing = sorted(name for name in names if name not in partners)
    if not missing:
        return
    jpegs = []
    for name in missing:
        wanted = others.folder / f"{name}{others.ending}"
        jpegs += [
            f"{wanted}{suffix}"
            for suffix in LOSSY_SUFFIXES
            if suffix not in others.suffixes and os.path.exists(f"{wanted}{suffix}")
        ]
        reason = f"{names[name]}: no {others.kind} of the same stem in {others.folder}"
        problems.setdefault(names[name], reason)
    listed = _some([os.path.relpath(names[name], files.folder) for name in missing])
    lossy = f"; {jpegs[0]} is a JPEG, whose compression changes ids" if jpegs else ""
    messages.append(
        f"{len(missing)} of {len(names)} files in {files.folder} have no {others.kind} of the "
        f"same stem in {others.folder}: {listed}{lossy}"
    )


def _some(names, most=5):
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
