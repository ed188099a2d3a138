"""All that is wrong with a dataset, before training."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from keras_spade.arguments import positive_integer
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.paired_folders import paired_folders
from keras_spade.datasets.folders.pairing import (
    IMAGE_SUFFIXES,
    Files,
    existing_directory,
    instance_folder_or_none,
    pair_files,
    printable,
)
from keras_spade.datasets.inspection.contact_sheet import draw_contact_sheet
from keras_spade.datasets.inspection.sample_facts import inspect_sample
from keras_spade.datasets.inspection.subject import Subject
from keras_spade.datasets.inspection.suggestion import (
    call_text,
    image_arguments,
    stray_id,
    suggest,
)
from keras_spade.datasets.inspection.tally import Tally
from keras_spade.datasets.ordered import in_order
from keras_spade.datasets.public.public_dataset import recognised
from keras_spade.datasets.source import source_or_none

# Folders that people spread their own data over.
PARTS = ("train", "training", "val", "validation", "test")
DEFAULT_FOLDERS = {
    "image_folder": "images",
    "label_folder": "labels",
    "instance_folder": "instances",
}


def inspect_dataset(
    data,
    image_folder="images",
    label_folder="labels",
    instance_folder="instances",
    contact_sheet=None,
    contact_rows=8,
    verbose=1,
):
    """Reads every file of a dataset once and says what is in it and what is wrong.

    It reads as training does: what an epoch would raise, this tells before. Of a folder whose
    labels are not known yet it finds the ids or colours, and suggests the call that loads it.

    Args:
        data: a dataset of `paired_folders`, of a named one or of `tfrecords` (made with
            `on_bad_file="skip"` if files may lack a partner); or a folder, of your own or in the
            layout of a named dataset, or spread over `train`, `val` and so on; of these, the
            training set is inspected.
        image_folder: where in the folder `data` the photographs are.
        label_folder: where in the folder `data` the label maps are.
        instance_folder: where in the folder `data` instance maps are, if there are any.
        contact_sheet: a `.png` to draw some samples into, photographs beside label maps.
        contact_rows: how many samples it shows.
        verbose: 1 prints the report, with a progress bar before; 0 is silent.

    Returns:
        A `DatasetReport`.

    Raises:
        ValueError: if `data` is of another kind, or holds not one pair of files.
        OSError: naming `contact_sheet`, if that cannot be written.

    Example:

    ```python
    report = keras_spade.datasets.inspect_dataset("street", contact_sheet="street.png")
    print(report.call)
    data = keras_spade.datasets.ade20k("ADEChallengeData2016", on_bad_file="skip")
    assert not keras_spade.datasets.inspect_dataset(data).bad_files
    ```
    """
    contact_rows = positive_integer("contact_rows", contact_rows, "a positive integer")
    folders = {
        "image_folder": image_folder,
        "label_folder": label_folder,
        "instance_folder": instance_folder,
    }
    subject = _of_dataset(data) or _of_folder(data, **folders)
    tally = _tally(subject, verbose)
    if contact_sheet is not None and tally.good:
        step = max(1, len(tally.good) // contact_rows)
        draw_contact_sheet(contact_sheet, subject, tally.good[::step][:contact_rows])
    report = tally.report(subject.listing.problems)
    if subject.info is not None:
        report.names = _names(subject, report.pixels)
    if tally.good and (subject.reader is not None or not tally.cut):
        _tell_how_to_load(report, subject, folders)
    if verbose:
        print(printable(report))
        if contact_sheet is not None and tally.good:
            print(f"contact sheet: {contact_sheet}")
    return report


def _of_dataset(data):
    """What is known of a dataset of files; `None` if it is none."""
    source = source_or_none(data)
    if source is None or source.samples is None:
        return None
    samples = source.samples
    return Subject(samples.listing, samples.reader, source.info, source.call)


def _of_folder(data, image_folder, label_folder, instance_folder):
    """What is found in a folder."""
    try:
        directory = existing_directory(data)
    except TypeError:
        raise ValueError(f"data must be a folder or a dataset of files, got {data!r}") from None
    if not (directory / label_folder).is_dir():
        known = recognised(directory)
        if known is not None:
            load, options = known
            subject = _of_dataset(load(data, on_bad_file="skip", **options))
            # Unless there are bad ones.
            arguments = {**subject.call.arguments, "on_bad_file": "error"}
            return replace(subject, call=replace(subject.call, arguments=arguments))
        parts = [part for part in PARTS if (directory / part / label_folder).is_dir()]
        if parts:
            data, directory = Path(data) / parts[0], directory / parts[0]
    instances = instance_folder_or_none(directory / instance_folder, "auto")
    listing = pair_files(
        Files("image", directory / image_folder, suffixes=IMAGE_SUFFIXES),
        Files("label", directory / label_folder),
        instances and Files("instance", instances),
        on_bad_file="skip",
    )
    return Subject(listing, directory=data)


def _tally(subject, verbose):
    """What is in all samples, read in parallel."""
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


def _tell_how_to_load(report, subject, folders):
    """Notes the call in the report; of a folder of which nothing is known, what looks wrong too."""
    stray = None
    if subject.reader is not None:
        if subject.call is None:
            return
        function, arguments = subject.call.function, dict(subject.call.arguments)
    else:
        pixels = dict(report.pixels)
        stray = stray_id(report)
        if stray is not None:
            del pixels[stray]
            report.suspicious.append(
                f"the id {stray} is in {report.images[stray]} of {report.samples} label maps, the "
                f"others are much lower: is it a mistake? The call takes it for one"
            )
        suggestion = suggest(pixels, report.image_sizes)
        if suggestion is None:
            return
        given = {k: v for k, v in folders.items() if v != DEFAULT_FOLDERS[k]}
        images, notes = image_arguments(report)
        arguments = {"directory": subject.directory, **given, **suggestion.arguments, **images}
        function = paired_folders
        report.notes += suggestion.notes + notes
        parts = _parts(subject, folders["image_folder"])
        if len(parts) > 1:
            report.notes.append(
                f"{' and '.join(parts)} are read as one set; "
                f"image_folder='{folders['image_folder']}/{parts[0]}' and the like read one of them"
            )
    if report.bad_files or report.unmatched or stray is not None:
        arguments["on_bad_file"] = "skip"
    report.call = call_text(function, arguments)


def _parts(subject, image_folder):
    """The folders below that of the images, if all have names as training and validation sets."""
    folder = existing_directory(subject.directory) / image_folder
    within = (Path(image).relative_to(folder).parts for image, *_ in subject.listing.samples)
    first = sorted({parts[0] if len(parts) > 1 else "" for parts in within})
    return first if set(first) <= set(PARTS) else []


def _names(subject, pixels):
    """Names of the classes that the ids or colours of the files mean."""
    mapping, names = subject.reader.label_mapping, {}
    for value in pixels:
        try:
            array = [[value]] if mapping.colors is None else np.array([[value]], np.uint8)
            class_id = int(mapping(array)[0, 0])
        except ValueError:
            continue
        if class_id == LabelMapping.VOID:
            names[value] = "void"
        elif class_id < len(subject.info.class_names):
            names[value] = subject.info.class_names[class_id]
    return names
