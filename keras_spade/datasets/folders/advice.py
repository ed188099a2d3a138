"""Advice on ids that are not classes, if a file's contents suggest it."""

import logging

import numpy as np

from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.opening import File

# Values of masks: black, white, and sometimes a grey between.
MASKS = (
    (0, 255),
    (0, 127, 255),
    (0, 128, 255),
    (0, 65535),
    (0, 32767, 65535),
    (0, 32768, 65535),
)


def advice(labels: np.ndarray, num_classes: int, mapping: LabelMapping) -> str:
    """The end of an error message about label ids (H, W); empty if there is no advice.

    Args:
        labels: the numbers in the file.
        num_classes: the given number of classes.
        mapping: the `LabelMapping` that was applied.
    """
    if not mapping.is_plain:
        return ""
    found = set(np.unique(labels).tolist())
    grey = "palette='grey', " if mapping.grey else ""
    for mask in MASKS:
        if mask[-1] in found and found <= set(mask) and num_classes <= 3:
            *first, last = mask
            remap = {value: number for number, value in enumerate(mask)}
            return (
                f". To read a mask of {', '.join(map(str, first))} and {last}, use "
                f"num_classes={len(mask)}, label_mapping=LabelMapping({grey}remap={remap})"
            )
    found -= set(mapping.void_labels)
    if found and min(found) >= 0 and max(found) == num_classes:
        void = ", void_labels=0" if 0 in found else ""
        return (
            f". For ids counted from 1, 1..{num_classes}, use "
            f"label_mapping=LabelMapping({grey}offset=-1{void})"
        )
    return ""


def warn_of_mask(file: File, labels: np.ndarray, num_classes: int, mapping: LabelMapping) -> bool:
    """Logs a warning if 255 is void in what may be a mask of 0 and 255; returns whether it did."""
    if num_classes > 2 or 255 not in mapping.void_labels or not mapping.is_plain:
        return False
    ends = np.count_nonzero(labels == 0), np.count_nonzero(labels == 255)
    if not all(ends) or sum(ends) < labels.size:
        return False
    suggestion = advice(labels, num_classes, mapping)
    logging.getLogger("keras_spade").warning(
        "%r contains only 0 and 255, and 255 is read as void%s", str(file), suggestion
    )
    return True
