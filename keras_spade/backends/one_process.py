"""What JAX and PyTorch have in common: one process, and as Keras sees it one replica."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

import keras
from keras import ops

from keras_spade.backends.part import Part

ARRAYS_STREAM_AS_DATASETS = False
READS_BATCHES_OF_PAST_STEPS = True


def whole(data):
    """The `Part` of a batch that is all of it."""
    arrays = (array for array in keras.tree.flatten(data) if array is not None)
    return Part(total=ops.shape(next(arrays))[0], share=1.0)


def compiled(model: keras.Model, function: Callable, behind: dict):
    """Calls the function: what is compiled is the whole step, or nothing."""
    return function()


def checking_first(model: keras.Model) -> AbstractContextManager:
    """A context: Keras' functions are right as they are."""
    return contextlib.nullcontext()


def replicas(model: keras.Model) -> int:
    """One: there are no others."""
    return 1


def workers(model: keras.Model) -> int:
    """One: there are no others."""
    return 1


def writes_files(model: keras.Model) -> bool:
    """True: there are no other processes."""
    return True


def scope(model: keras.Model | None) -> AbstractContextManager:
    """A context for new variables: anywhere."""
    return contextlib.nullcontext()


def check_variables(model: keras.Model, **groups: list[keras.Variable]) -> None:
    """Passes: there are no scopes."""


def losing_no_worker(model: keras.Model, advice: str) -> AbstractContextManager:
    """A context: there are no other workers."""
    return contextlib.nullcontext()


def place_check(model: keras.Model) -> Callable | None:
    """`None`: there are no other workers."""
    return None


def shared_by_workers(model: keras.Model, data):
    """The data as they are."""
    return data
