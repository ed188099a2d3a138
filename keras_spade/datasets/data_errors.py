"""What went wrong with the data, said in one line, where TensorFlow says it in many."""

import functools
import re
import sys

from keras_spade.arguments import ids_out_of_range
from keras_spade.datasets.python_calls import python_calls

# How TensorFlow shows the message and the two numbers of a check of label ids: eagerly in three
# lines, else each in brackets.
OUT_OF_RANGE = re.compile(
    re.escape(ids_out_of_range(0)).replace("\\-1", r"(\d+)") + r"\W*?(-?\d+)\W+?(-?\d+)"
)


def telling_data_errors(function):
    """Returns a function that raises errors out of the data in one line.

    These are errors of files that datasets of this package read, and label ids that are no class.
    The error is a `ValueError`, and for code that was written before also what TensorFlow raised.
    Other errors, and other backends' own, pass.

    Args:
        function: that reads data.
    """

    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except Exception as error:
            told = in_one_line(error)
            if told is None:
                raise
        raise told  # Here TensorFlow's is forgotten: its lines would stand in front.

    return call


def in_one_line(error):
    """The same error in one line; `None` if it is none of the data's, or is so already.

    Args:
        error: an exception.
    """
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None or isinstance(error, ValueError):
        return None
    if not isinstance(error, tensorflow.errors.OpError):
        return None
    text = python_calls().error_in(error.message)
    if text is None:
        found = OUT_OF_RANGE.search(error.message)
        if found is None:
            return None
        last, low, high = map(int, found.groups())
        text = ids_out_of_range(last + 1, low, high)
    return _data_error(type(error))(text)


@functools.cache
def _data_error(kind):
    """The class of errors that are a `ValueError` and one of TensorFlow's."""

    class DataError(ValueError, kind):
        def __init__(self, message):
            kind.__init__(self, None, None, message)

        def __str__(self):
            return self.message

    return DataError


def with_data_errors(dataset):
    """The dataset, whose iterators raise in one line what is wrong with the data.

    They stay what they are for TensorFlow: a compiled function takes them as before.
    """
    dataset.__class__ = _dataset_class(type(dataset))
    return dataset


@functools.cache
def _dataset_class(kind):
    class Dataset(kind):
        def __iter__(self):
            iterator = super().__iter__()
            if hasattr(type(iterator), "__next__"):
                iterator.__class__ = _iterator_class(type(iterator))
            return iterator

    Dataset.__name__ = Dataset.__qualname__ = kind.__name__
    return Dataset


@functools.cache
def _iterator_class(kind):
    class Iterator(kind):
        __next__ = telling_data_errors(kind.__next__)

    Iterator.__name__ = Iterator.__qualname__ = kind.__name__
    return Iterator
