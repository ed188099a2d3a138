"""Functions shared by JAX and PyTorch: one process and, from Keras' point of view, one replica."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
from keras import ops

from keras_spade.backends.part import Part

ARRAYS_STREAM_AS_DATASETS = False
READS_BATCHES_OF_PAST_STEPS = True


def whole(data: Any) -> Part:
    """The `Part` that consists of the whole batch."""
    arrays = (array for array in keras.tree.flatten(data) if array is not None)
    return Part(total=ops.shape(next(arrays))[0], share=1.0)


def compiled(model: keras.Model, function: Callable, behind: dict) -> Any:
    """Calls the function: either the whole step is compiled, or nothing."""
    return function()


def checking_first(model: keras.Model) -> AbstractContextManager:
    """A context that does nothing: Keras' functions need no change."""
    return contextlib.nullcontext()


def replicas(model: keras.Model) -> int:
    """Always 1."""
    return 1


def workers(model: keras.Model) -> int:
    """Always 1."""
    return 1


def writes_files(model: keras.Model) -> bool:
    """Always true: there are no other processes."""
    return True


def scope(model: keras.Model | None) -> AbstractContextManager:
    """A context that does nothing: new variables can be created anywhere."""
    return contextlib.nullcontext()


def check_variables(model: keras.Model, **groups: list[keras.Variable]) -> None:
    """Does nothing: there are no scopes."""


def losing_no_worker(model: keras.Model, advice: str) -> AbstractContextManager:
    """A context that does nothing: there are no other workers."""
    return contextlib.nullcontext()


def place_check(model: keras.Model) -> Callable | None:
    """`None`: there are no other workers."""
    return None


def shared_by_workers(model: keras.Model, data: Any) -> Any:
    """The data, unchanged."""
    return data
