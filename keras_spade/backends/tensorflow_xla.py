"""Steps that TensorFlow compiles with XLA; XLA drops checks, so they run before."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from keras_spade.backends.replicas import drawing_outside


def compiles(model: keras.Model) -> bool:
    """Whether steps of the model are compiled: if `jit_compile`, and outside of strategies."""
    with model.distribute_strategy.scope():
        return bool(model.jit_compile) and not tf.distribute.has_strategy()


def compiled(model: keras.Model, function: Callable, behind: dict) -> Any:
    """Calls a function; in a graph, with XLA if the model's `jit_compile` is true."""
    if tf.executing_eagerly() or tf.distribute.has_strategy() or not model.jit_compile:
        return function()

    def inside():
        with drawing_outside(graph, list(behind.values())):
            return function()

    graph = tf.compat.v1.get_default_graph()
    # Trace once: otherwise, noise drawn outside would be drawn at each tracing.
    return tf.function(inside, jit_compile=True, autograph=False).get_concrete_function()()


@contextlib.contextmanager
def checking_first(model: keras.Model) -> Iterator[None]:
    """A context in which Keras creates functions without compiling; `compiled` does that inside."""
    wanted = model.jit_compile
    if wanted and not compiles(model):
        warnings.warn(
            "`jit_compile=True`: steps are not compiled with XLA under a `tf.distribute` "
            "strategy; they run without it.",
            stacklevel=3,
        )
        wanted = False
    model.jit_compile = False
    try:
        yield
    finally:
        model.jit_compile = wanted
