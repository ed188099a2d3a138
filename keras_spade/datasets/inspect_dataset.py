"""All that is wrong with a dataset, before training."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np

from keras_spade.datasets._contact_sheet import draw_contact_sheet
from keras_spade.datasets._inspection import inspect_sample
from keras_spade.datasets._ordered import in_order
from keras_spade.datasets._pairing import (
    IMAGE_SUFFIXES,
    Files,
    existing_directory,
    instance_folder_or_none,
    pair_files,
    printable,
)
from keras_spade.datasets._sample_reader import positive_integer
from keras_spade.datasets._suggestion import MOST_COLORS, suggest_call
from keras_spade.datasets.ade20k import ade20k
from keras_spade.datasets.camvid import camvid
from keras_spade.datasets.cityscapes import cityscapes
from keras_spade.datasets.cmp_facades import cmp_facades
from keras_spade.datasets.coco_stuff import coco_stuff
from keras_spade.datasets.dataset_report import DatasetReport
from keras_spade.datasets.label_mapping import LabelMapping

TOO_MANY_IDS = 200
# A folder that tells of a named dataset, and how that is loaded.
KNOWN_LAYOUTS = (
    ("gtFine", cityscapes, {}),
    ("ADEChallengeData2016", ade20k, {}),
    ("annotations/training", ade20k, {}),
    ("annotations/train2017", coco_stuff, {}),
    ("train_label", coco_stuff, {}),
    ("LabeledApproved_full", camvid, {"split": "all"}),
    ("trainannot", camvid, {}),
    ("extended", cmp_facades, {}),
    ("base", cmp_facades, {"split": "base"}),
)
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
            layout of a named dataset, whose training set is inspected then.
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
    contact_rows = positive_integer("contact_rows", contact_rows)
    folders = {
        "image_folder": image_folder,
        "label_folder": label_folder,
        "instance_folder": instance_folder,
    }
    samples = getattr(data, "samples", None) or _of_folder(data, **folders)
    facts = _all_facts(samples, verbose)
    good = [number for number, fact in enumerate(facts) if fact.problem is None]
    if contact_sheet is not None and good:
        step = max(1, len(good) // contact_rows)
        draw_contact_sheet(contact_sheet, samples, good[::step][:contact_rows])
    report = _report(samples, facts)
    if samples.reader is None and report.pixels:
        given = {k: v for k, v in folders.items() if v != DEFAULT_FOLDERS[k]}
        report.call = suggest_call(samples.directory, given, report.pixels, report.image_sizes)
    if verbose:
        print(printable(report))
        if contact_sheet is not None and good:
            print(f"contact sheet: {contact_sheet}")
    return report


def _of_folder(data, image_folder, label_folder, instance_folder):
    """The samples of a folder of which nothing is known."""
    try:
        directory = existing_directory(data)
    except TypeError:
        raise ValueError(f"data must be a folder or a dataset of files, got {data!r}") from None
    if not (directory / label_folder).is_dir():
        for folder, loader, options in KNOWN_LAYOUTS:
            if (directory / folder).is_dir():
                return loader(directory, on_bad_file="skip", **options).samples
    instances = instance_folder_or_none(directory / instance_folder, "auto")
    listing = pair_files(
        Files("image", directory / image_folder, suffixes=IMAGE_SUFFIXES),
        Files("label", directory / label_folder),
        instances and Files("instance", instances),
        on_bad_file="skip",
    )
    return SimpleNamespace(listing=listing, reader=None, info=None, directory=data)


def _all_facts(samples, verbose):
    """The facts of all samples, read in parallel."""
    import keras

    numbers = range(len(samples.listing.samples))
    progress = keras.utils.Progbar(len(numbers), unit_name="sample") if verbose else None
    facts = []
    with ThreadPoolExecutor() as pool:
        for fact in in_order(pool, lambda number: inspect_sample(samples, number), numbers):
            facts.append(fact)
            if progress:
                progress.update(len(facts))
    return facts


def _report(samples, facts):
    pixels, images = Counter(), Counter()
    for fact in facts:
        pixels.update(fact.counts)
        images.update(fact.counts.keys())
    total = pixels.total()
    report = DatasetReport(
        samples=len(facts),
        unmatched=dict(samples.listing.problems),
        bad_files={fact.name: fact.problem for fact in facts if fact.problem},
        image_sizes=dict(Counter(f.image_size for f in facts if f.image_size).most_common()),
        pixels={value: pixels[value] / total for value in _ordered(pixels)},
        images=dict(images),
    )
    if samples.info is not None:
        report.call = f"keras_spade.datasets.{samples.info.call}"
        report.names = _names(samples, report.pixels)
    colored = any(fact.colored for fact in facts)
    if colored and not all(fact.colored or not fact.counts for fact in facts):
        report.suspicious.append("some label files hold colours, others ids")
    if len(pixels) > (MOST_COLORS if colored else TOO_MANY_IDS):
        report.suspicious.append(
            f"{len(pixels)} {'colours' if colored else 'ids'}: are these label maps? Smoothing and "
            "JPEG compression make such numbers of them"
        )
    smooth = [fact.name for fact in facts if fact.smooth]
    if smooth:
        report.suspicious.append(
            f"the ids of {len(smooth)} label maps go over borders in steps, as in maps that were "
            f"resized with smoothing or saved as JPEG once; the first is of {smooth[0]}"
        )
    return report


def _ordered(pixels):
    """Ids in their order; colours by what they cover."""
    if any(isinstance(value, tuple) for value in pixels):
        return [value for value, _ in pixels.most_common()]
    return sorted(pixels)


def _names(samples, pixels):
    """Names of the classes that the ids or colours of the files mean."""
    mapping, names = samples.reader.label_mapping, {}
    for value in pixels:
        try:
            array = [[value]] if mapping.colors is None else np.array([[value]], np.uint8)
            class_id = int(mapping(array)[0, 0])
        except ValueError:
            continue
        if class_id == LabelMapping.VOID:
            names[value] = "void"
        elif class_id < len(samples.info.class_names):
            names[value] = samples.info.class_names[class_id]
    return names
