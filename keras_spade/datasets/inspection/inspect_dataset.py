"""Reports all problems of a dataset before training."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from keras_spade.arguments import positive_integer
from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.folders.paired_folders import paired_folders
from keras_spade.datasets.folders.pairing import existing_directory, pair_files, printable
from keras_spade.datasets.folders.parts import has_wildcards
from keras_spade.datasets.inspection.contact_sheet import draw_contact_sheet, legend_of
from keras_spade.datasets.inspection.dataset_report import DatasetReport
from keras_spade.datasets.inspection.find_folders import OwnFolders, find_folders
from keras_spade.datasets.inspection.folder_names import PARTS
from keras_spade.datasets.inspection.pairs_report import pairs_report
from keras_spade.datasets.inspection.sample_facts import inspect_sample
from keras_spade.datasets.inspection.sizes import ALIKE, keep_ratios, stretched, vary
from keras_spade.datasets.inspection.subject import Subject
from keras_spade.datasets.inspection.suggestion import (
    call_text,
    defaults_of,
    image_arguments,
    plain,
    stray_id,
    suggest,
)
from keras_spade.datasets.inspection.tally import Tally
from keras_spade.datasets.inspection.train_line import train_line
from keras_spade.datasets.ordered import in_order
from keras_spade.datasets.public.public_dataset import recognised
from keras_spade.datasets.source import source_or_none


def inspect_dataset(
    data: Dataset | str | os.PathLike,
    image_folder: str = "images",
    label_folder: str = "labels",
    instance_folder: str = "instances",
    contact_sheet: str | os.PathLike | None = None,
    contact_rows: int = 8,
    verbose: int = 1,
) -> DatasetReport:
    """Reads every file of a dataset once and reports its contents and problems.

    It reads files as training does, so it reports every error that an epoch would raise. For a
    folder with unknown labels, it finds the ids or colours, and suggests the call that loads it.

    Args:
        data: a dataset made by `paired_folders`, a named dataset's function or `tfrecords` (with
            `on_bad_file="skip"` if files may lack a partner); or a folder: your own, one in the
            layout of a named dataset, or one with parts. If these are called `train`, `val` and so
            on, the training set is inspected; otherwise (`Tile 1/images`, `Tile 2/images`), all
            parts are.
        image_folder: where in the folder `data` the photographs are; a pattern such as `*/images`
            names those of all parts. If the default does not exist, usual names are tried
            (`JPEGImages`, `masks`, `SegmentationClass`, `gt` and so on).
        label_folder: where in the folder `data` the label maps are, in the same way.
        instance_folder: where in the folder `data` the instance maps are, if any.
        contact_sheet: a `.png` file for a picture of some samples, photographs next to label maps.
        contact_rows: number of samples in it.
        verbose: 1 shows a progress bar and prints the report; 0 prints nothing.

    Returns:
        A `DatasetReport`. For files with photograph and label map side by side, it says so and how
        to split them with `split_pairs`, and has no call.

    Raises:
        ValueError: if `data` is of another kind, or contains no pair of files.
        OSError: if `contact_sheet` cannot be written; it names the file.

    Example:

    ```python
    report = keras_spade.datasets.inspect_dataset("street", contact_sheet="street.png")
    print(report.call)
    data = keras_spade.datasets.ade20k("ADEChallengeData2016", on_bad_file="skip")
    assert not keras_spade.datasets.inspect_dataset(data).bad_files
    ```
    """
    contact_rows = positive_integer("contact_rows", contact_rows, "a positive integer")
    subject = _of_dataset(data) or _of_folder(data, image_folder, label_folder, instance_folder)
    if isinstance(subject, DatasetReport):  # for files that must be split first
        if verbose:
            print(printable(subject))
        return subject
    tally = _tally(subject, verbose)
    grey = subject.reader is None and tally.grey
    if grey:
        tally.take_grey_for_ids()
    report = tally.report(subject.listing.problems)
    if subject.info is not None:
        report.names = _names(subject, report.pixels)
    if tally.good and (subject.reader is not None or not tally.cut):
        subject = _tell_how_to_load(report, subject, grey, source_or_none(data) is None)
    if contact_sheet is not None and tally.good:
        step = max(1, len(tally.good) // contact_rows)
        numbers = tally.good[::step][:contact_rows]
        draw_contact_sheet(contact_sheet, subject, numbers, legend_of(subject, report.pixels))
    if verbose:
        print(printable(report))
        if contact_sheet is not None and tally.good:
            print(f"contact sheet: {contact_sheet}")
    return report


def _of_dataset(data):
    """The `Subject` of a dataset of files; `None` for other data."""
    source = source_or_none(data)
    if source is None or source.samples is None:
        return None
    samples = source.samples
    return Subject(samples.listing, samples.reader, source.info, source.call)


def _of_folder(data, image_folder, label_folder, instance_folder):
    """The `Subject` of a folder, or already its `DatasetReport` if the files must be split."""
    if not isinstance(data, (str, os.PathLike)):
        raise ValueError(f"data must be a folder or a dataset of files, got {data!r}")
    directory = existing_directory(data)
    given = OwnFolders(data, image_folder, label_folder, instance_folder)
    if not (directory / label_folder).is_dir():
        known = recognised(directory)
        if known is not None:
            load, options = known
            return _of_dataset(load(data, on_bad_file="skip", **options))
    folders = find_folders(given, directory)
    if folders is None and (report := pairs_report(directory)) is not None:
        return report
    folders = folders or given
    files = folders.files(existing_directory(folders.directory))
    return Subject(pair_files(*files, on_bad_file="skip"), folders=folders)


def _tally(subject, verbose):
    """Adds up the contents of all samples, read in parallel."""
    import keras

    numbers = range(len(subject.listing.samples))
    progress = keras.utils.Progbar(len(numbers), unit_name="sample") if verbose else None
    tally = Tally()
    with ThreadPoolExecutor() as pool:
        facts = in_order(pool, lambda number: inspect_sample(subject, number), numbers)
        for number, fact in enumerate(facts):
            tally.add(number, fact)
            if progress:
                progress.update(number + 1)
    return tally


def _tell_how_to_load(report, subject, grey, as_found):
    """Adds the call to the report; for a folder with unknown labels, also suspicious findings.

    `as_found`: the data was found in a folder, and the caller has not said how to load it. Returns
    the `Subject`, with a reader for its samples if there is a call.
    """
    stray = None
    if subject.reader is not None:
        if subject.call is None:
            return subject
        mapping = subject.reader.label_mapping
        if set(report.pixels) == {0, 255} and mapping.is_plain and 255 in mapping.void_labels:
            report.suspicious.append(
                "the label maps contain only 0 and 255, and 255 is read as void: for masks, use "
                "num_classes=2, label_mapping=LabelMapping(remap={0: 0, 255: 1})"
            )
        function, arguments = subject.call.function, dict(subject.call.arguments)
        if arguments.get("resize", "stretch") == "stretch":
            if as_found and vary(report.image_sizes):
                sizes = keep_ratios(report.image_sizes, subject.reader.image_size)
                arguments |= sizes.arguments
                report.notes += sizes.notes
            else:
                report.notes += stretched(report.image_sizes, subject.reader.image_size, ALIKE)
    else:
        pixels = dict(report.pixels)
        stray = stray_id(report)
        if stray is not None:
            del pixels[stray]
            report.suspicious.append(
                f"the id {stray} is in {report.images[stray]} of {report.samples} label maps, and "
                f"the others are much lower: is it a mistake? The call treats it as one"
            )
        suggestion = suggest(pixels, report.image_sizes, grey)
        if suggestion is None:
            return subject
        images, notes = image_arguments(report)
        suggestion.arguments |= images
        arguments = {**subject.folders.arguments, **suggestion.arguments}
        function = paired_folders
        report.notes += subject.folders.notes + suggestion.notes + notes
        parts = _parts(subject)
        if len(parts) > 1:
            report.notes.append(
                f"{' and '.join(parts)} are read as one dataset; "
                f"image_folder='{subject.folders.image}/{parts[0]}' and the like select one of them"
            )
    bad = report.bad_files or report.unmatched or stray is not None
    arguments["on_bad_file"] = "skip" if bad else "error"
    report.call = call_text(function, arguments)
    arguments = {name: plain(value) for name, value in arguments.items()}
    with_instances = subject.listing.with_instances
    report.command = train_line(function, arguments, defaults_of(function), with_instances)
    return subject if subject.reader is not None else replace(subject, reader=suggestion.reader)


def _parts(subject):
    """The subfolders of the images, if all have names of training or validation sets."""
    if has_wildcards(subject.folders.image):
        return []
    folder = existing_directory(subject.folders.directory) / subject.folders.image
    within = (Path(image).relative_to(folder).parts for image, *_ in subject.listing.samples)
    first = sorted({parts[0] if len(parts) > 1 else "" for parts in within})
    return first if set(first) <= set(PARTS) else []


def _names(subject, pixels):
    """Class names for the ids or colours in the files."""
    names = (*subject.info.class_names, "void")
    classes = {value: subject.class_of(value) for value in pixels}
    return {value: names[number] for value, number in classes.items() if number is not None}
