"""What a dataset knows of its classes."""

from keras_spade.class_info import ClassInfo
from keras_spade.datasets.source import source_or_none


def classes_of(data, num_classes: int) -> ClassInfo | None:
    """What a dataset of `keras_spade.datasets` knows of its classes; of other data `None`.

    Args:
        data: what `fit` trains on.
        num_classes: of the generator. Names and colours of another number of classes are none.
    """
    source = source_or_none(data)
    classes = None if source is None else source.classes
    try:
        if classes is not None:
            classes.check(num_classes)
    except ValueError:
        return None
    return classes
