"""Label patterns that were found before a network is called, for the layers inside of it."""

import contextlib
import contextvars
from collections.abc import Iterator, Mapping

import keras

from keras_spade.tensor import Tensor

_FOUND = contextvars.ContextVar("found_patterns", default=())


@contextlib.contextmanager
def found_patterns(tables: Mapping[keras.layers.Layer, Mapping[str, Tensor]]) -> Iterator[None]:
    """A context in which `LabelPatterns` layers use these tables instead of a search.

    Args:
        tables: of each layer, as `search_on_host` returns them; other layers search as usual.
    """
    token = _FOUND.set(tables)
    try:
        yield
    finally:
        _FOUND.reset(token)


def tables_of(layer: keras.layers.Layer) -> Mapping[str, Tensor] | None:
    """The tables that were found for a layer, or `None`."""
    found = _FOUND.get()
    return found[layer] if layer in found else None
