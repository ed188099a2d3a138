"""The report of `inspect_dataset` on files with photograph and label map side by side."""

from collections import Counter
from pathlib import Path

from keras_spade.datasets.folders.pairing import existing_directory
from keras_spade.datasets.folders.reading import read_rgb
from keras_spade.datasets.folders.side_by_side import (
    are_side_by_side,
    image_files,
    label_side,
    looks_lossy,
)
from keras_spade.datasets.inspection.dataset_report import DatasetReport


def pairs_report(directory: Path) -> DatasetReport | None:
    """The `DatasetReport` of a folder of such files; `None` if they do not look like it."""
    directory = existing_directory(directory)
    files = image_files(directory)
    if not are_side_by_side(files):
        return None
    sizes, bad_files, good = Counter(), {}, []
    for file in files:
        try:
            image = read_rgb(file)
        except ValueError as error:
            bad_files[file] = str(error)
            continue
        sizes[image.size[::-1]] += 1
        good.append(file)
    report = DatasetReport(len(files), bad_files=bad_files, image_sizes=dict(sizes.most_common()))
    report.suspicious.append(
        "each file seems to contain a photograph and its label map side by side, as in pix2pix"
    )
    if not good:
        return report
    lossy = any(map(looks_lossy, good))
    into = directory.with_name(f"{directory.name}_split")
    palette = ", palette=[...]" if lossy else ""
    call = (
        f"keras_spade.datasets.split_pairs({str(directory)!r}, {str(into)!r}, "
        f"label_side={label_side(good)!r}{palette})"
    )
    if lossy:
        report.suspicious.append(
            "JPEG has changed the colours of the label maps. Label maps published as separate "
            "files are better (CMP Facades: datasets.cmp_facades)"
        )
    report.notes.append(f"{call} splits them; then run inspect_dataset({str(into)!r})")
    if lossy:
        report.notes.append(
            "palette is the list of the class colours: each pixel becomes the nearest"
        )
    return report
