"""Errors in the data, in one line instead of TensorFlow's many."""

import functools
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from keras_spade.arguments import ids_out_of_range
from keras_spade.datasets.python_calls import python_calls

if TYPE_CHECKING:
    import tensorflow as tf


# How TensorFlow formats the message and the two numbers of a label id check: in three lines when
# eager, otherwise each in brackets.
OUT_OF_RANGE = re.compile(
    re.escape(ids_out_of_range(0)).replace("\\-1", r"(\d+)") + r"\W*?(-?\d+)\W+?(-?\d+)"
)


def telling_data_errors(function: Callable) -> Callable:
    """Returns a function that raises one-line errors for problems in the data.

    These are errors in files read by this package's datasets, and label ids that are not a class.
    The error is a `ValueError`, and also of the type that TensorFlow raised, for code that already
    catches it. Other errors, and those of other backends, pass unchanged.

    Args:
        function: a function that reads data.
    """

    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except Exception as error:
            short = in_one_line(error)
            if short is None:
                raise
        raise short  # Outside the handler, which would print TensorFlow's lines first.

    return call


def in_one_line(error: Exception) -> ValueError | None:
    """The same error in one line; `None` if it is not a data error, or already is one line.

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
    """The class of errors that are both a `ValueError` and a TensorFlow error."""

    class DataError(ValueError, kind):
        def __init__(self, message):
            kind.__init__(self, None, None, message)

        def __str__(self):
            return self.message

    return DataError


def with_data_errors(dataset: "tf.data.Dataset") -> "tf.data.Dataset":
    """The dataset, with iterators that raise one-line errors for problems in the data.

    TensorFlow still treats them as its own: compiled functions accept them as before.
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
