"""Advice on ids that are not classes, if a file's contents suggest it."""

import numpy as np

from keras_spade.datasets.folders.label_mapping import LabelMapping


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
    white = 255 if 255 in found else 65535
    if white in found and found <= {0, white} and num_classes <= 2:
        return (
            f". To read a mask of 0 and {white}, use num_classes=2, "
            f"label_mapping=LabelMapping(remap={{0: 0, {white}: 1}})"
        )
    found -= set(mapping.void_labels)
    if found and min(found) >= 0 and max(found) == num_classes:
        void = ", void_labels=0" if 0 in found else ""
        return (
            f". For ids counted from 1, 1..{num_classes}, use "
            f"label_mapping=LabelMapping(offset=-1{void})"
        )
    return ""
