"""Find the image, label and instance files that belong together: those of the same stem."""

import os
from pathlib import Path

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
LABEL_SUFFIXES = (".png",)
INSTANCE_SUFFIXES = (".png", ".tif", ".tiff")


def pair_files(image_folder, label_folder, instance_folder=None):
    """Lists `(image, label)` or `(image, label, instance)` paths, sorted by stem.

    Raises:
        ValueError: if a folder is missing or empty, two files of a folder share a stem, or a file
            has no partner in another folder.
    """
    folders = [
        _files_by_stem(image_folder, IMAGE_SUFFIXES, "image"),
        _files_by_stem(label_folder, LABEL_SUFFIXES, "label"),
    ]
    if instance_folder is not None:
        folders.append(_files_by_stem(instance_folder, INSTANCE_SUFFIXES, "instance"))
    images, *others = folders
    names = zip(("label", "instance"), (label_folder, instance_folder), others, strict=False)
    for kind, folder, files in names:
        _require_partners(images, files, kind, folder)
        _require_partners(files, images, "image", image_folder)
    return [tuple(str(files[stem]) for files in folders) for stem in sorted(images)]


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


def _files_by_stem(folder, suffixes, kind):
    if not folder.is_dir():
        raise ValueError(f"no folder {folder}: it should hold the {kind} files")
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_file() and not e.name.startswith("."))
    files = {}
    for name in names:
        path = folder / name
        if path.suffix.lower() not in suffixes:
            continue
        if path.stem in files:
            raise ValueError(
                f"two {kind} files of the same stem in {folder}: {files[path.stem].name} and {name}"
            )
        files[path.stem] = path
    if not files:
        found = f"{_some(names)}" if names else "no files"
        raise ValueError(
            f"no {kind} files ({', '.join(suffixes)}) in {folder}, which holds {found}"
        )
    return files


def _require_partners(files, partners, kind, folder):
    missing = [path.name for stem, path in files.items() if stem not in partners]
    if missing:
        origin = next(iter(files.values())).parent
        raise ValueError(
            f"{len(missing)} of {len(files)} files in {origin} have no {kind} of the same stem "
            f"in {folder}: {_some(missing)}"
        )


def _some(names, most=5):
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
