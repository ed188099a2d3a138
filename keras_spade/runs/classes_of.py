"""The classes of a dataset."""

from typing import Any

from keras_spade.class_info import ClassInfo
from keras_spade.datasets.source import source_or_none


def classes_of(data: Any, num_classes: int) -> ClassInfo | None:
    """Returns the classes of a dataset of `keras_spade.datasets`; `None` for other data.

    Args:
        data: the training data of `fit`.
        num_classes: of the generator. Names and colours of another number of classes are ignored.
    """
    source = source_or_none(data)
    classes = None if source is None else source.classes
    try:
        if classes is not None:
            classes.check(num_classes)
    except ValueError:
        return None
    return classes
