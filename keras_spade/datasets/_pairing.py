"""Find the image, label and instance files that belong together: those of the same name."""

import logging
import os
from dataclasses import dataclass, field
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

    `samples` holds `(image, label)` or `(image, label, instance)`, sorted by name; `problems` maps
    files to why they are left out.
    """

    samples: list
    problems: dict = field(default_factory=dict)


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
    problems = {}
    sets = [files for files in (images, labels, instances) if files is not None]
    found = [_by_name(files, problems, keep) for files in sets]
    for files, names in zip(sets[1:], found[1:], strict=True):
        _without_partner(images, found[0], files, names, problems)
        _without_partner(files, names, images, found[0], problems)
    if problems and on_bad_file == "error":
        reasons = list(problems.values())
        rest = f" ({len(reasons)} files in all; inspect_dataset lists them)"
        raise ValueError(reasons[0] + (rest if len(reasons) > 1 else ""))
    common = sorted(set.intersection(*map(set, found)))
    samples = [tuple(str(names[name]) for names in found) for name in common]
    samples = [sample for sample in samples if not any(file in problems for file in sample)]
    if not samples:
        raise ValueError(
            f"no {images.kind} in {images.folder} has a {labels.kind} of the same name in "
            f"{labels.folder}" + "".join(f"; {reason}" for reason in list(problems.values())[:1])
        )
    return Listing(samples, problems)


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


def report_skipped(file, reason):
    """Says on the log that a file is left out."""
    logging.getLogger("keras_spade").warning("Skipped: %s", printable(reason or file))


def printable(text):
    """A file name or message that can be printed and encoded, whatever bytes the name has."""
    return os.fsencode(str(text)).decode("utf-8", "backslashreplace")


def _by_name(files, problems, keep):
    """A dict name -> path; of the files that share one, none, but a problem."""
    if not files.folder.is_dir():
        raise ValueError(f"no folder {files.folder}: it should hold the {files.kind} files")
    found, others = {}, []
    for path in _walk(files.folder, ()):
        stem, suffix = os.path.splitext(path)
        if suffix.lower() not in files.suffixes or not stem.endswith(files.ending):
            others.append(path)
            continue
        name = os.path.relpath(stem, files.folder).removesuffix(files.ending)
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
            for path in paths:
                problems[path] = (
                    f"two {files.kind} files of the same stem in {files.folder}: {listed}"
                )
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


def _without_partner(files, names, others, partners, problems):
    """Notes the files that have no partner."""
    missing = [name for name in names if name not in partners]
    listed = _some([os.path.relpath(names[name], files.folder) for name in sorted(missing)])
    for name in missing:
        jpegs = [
            str(others.folder / f"{name}{others.ending}{suffix}")
            for suffix in LOSSY_SUFFIXES
            if suffix not in others.suffixes
            and (others.folder / f"{name}{others.ending}{suffix}").exists()
        ]
        problems[names[name]] = (
            f"{len(missing)} of {len(names)} files in {files.folder} have no {others.kind} of the "
            f"same stem in {others.folder}: {listed}"
            + "".join(f"; {jpeg} is a JPEG, whose compression changes ids" for jpeg in jpegs)
        )


def _some(names, most=5):
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
