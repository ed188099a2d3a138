"""Test helpers that differ between Keras' backends."""

import contextlib
from unittest import mock

import keras
import pytest

BACKEND = keras.backend.backend()
# TensorFlow takes longer to trace a step than to run the few steps of a test; JAX compiles each
# operation of an uncompiled step separately.
EAGERLY = BACKEND != "jax"
swaps_averages = pytest.mark.skipif(
    tuple(map(int, keras.__version__.split(".")[:2])) < (3, 15),
    reason="Keras swaps the averages of two optimizers from 3.15 on; earlier it is refused",
)


def label_error():
    """The error that a step raises for labels out of range."""
    if BACKEND != "tensorflow":
        return ValueError
    import tensorflow as tf

    return tf.errors.InvalidArgumentError


def only_on(backend, reason):
    """Marks tests of features that only one backend has."""
    return pytest.mark.skipif(BACKEND != backend, reason=f"{backend} only: {reason}")


def not_on(backend, reason):
    """Marks tests of features that one backend lacks."""
    return pytest.mark.skipif(BACKEND == backend, reason=f"not on {backend}: {reason}")


def without_gradients():
    """Disables gradients on PyTorch, whose tensors otherwise do not convert to arrays."""
    if BACKEND != "torch":
        return contextlib.nullcontext()
    import torch

    return torch.no_grad()


@contextlib.contextmanager
def with_gradients():
    """Enables gradients again, for a test that trains."""
    if BACKEND != "torch":
        yield
        return
    import torch

    with torch.enable_grad():
        yield


@contextlib.contextmanager
def sixty_four_bits():
    """Enables 64-bit floats and integers, which JAX only has on request."""
    if BACKEND != "jax":
        yield
        return
    import jax

    with jax.enable_x64(True):
        yield


@contextlib.contextmanager
def float64_throughout():
    """Like `sixty_four_bits`, and `keras.ops` computes in float64 everywhere.

    On JAX and PyTorch, Keras' own promotion turns it into float32, for example in matrix products.
    This is for tests in which only small rounding can be distinguished from a mistake.
    """
    promotion = keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE
    with sixty_four_bits(), mock.patch.dict(promotion, float64="float64"):
        yield


def compiled(function, jit=False):
    """A function of tensors as `fit` would run it: compiled, or on PyTorch unchanged.

    Args:
        function: must not assign to variables on JAX.
        jit: whether TensorFlow compiles it with XLA, as JAX always does.
    """
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=jit)
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    return function


def compiled_call(layer, jit=False, **kwargs):
    """A compiled call of a built layer, which updates the layer's variables."""
    if BACKEND != "jax":
        return compiled(lambda x: layer(x, **kwargs), jit)
    stateless = compiled(lambda *args: layer.stateless_call(*args, **kwargs))
    variables = (layer.trainable_variables, layer.non_trainable_variables)

    def call(x):
        y, values = stateless(*([v.value for v in group] for group in variables), x)
        for variable, value in zip(layer.non_trainable_variables, values, strict=True):
            variable.assign(value)
        return y

    return call


def at_once(layer, **kwargs):
    """A call of a built layer or network; on JAX compiled as one function.

    Otherwise JAX would compile each operation for each shape separately, which takes longer.
    """
    if BACKEND == "jax":
        return compiled_call(layer, **kwargs)
    return lambda x: layer(x, **kwargs)


def differentiate(function, inputs, variables, changing=()):
    """Gradients of a scalar, on any backend.

    Args:
        function: function of the inputs that returns the scalar and anything else.
        inputs: tensors or arrays to differentiate by, given to `function`.
        variables: Keras variables to differentiate by.
        changing: variables that `function` assigns to.

    Returns:
        The other outputs, the gradients for `inputs`, and those for `variables` (if unconnected,
        `None` on TensorFlow and PyTorch, and zeros on JAX).
    """
    inputs = [keras.ops.convert_to_tensor(x) for x in inputs]
    return {"tensorflow": _by_tape, "torch": _by_autograd, "jax": _by_transform}[BACKEND](
        function, inputs, list(variables), list(changing)
    )


def is_no_gradient(gradient):
    """Whether `differentiate` found no connection from an input to the scalar."""
    if BACKEND == "jax":
        return not keras.ops.any(gradient)
    return gradient is None


def _by_tape(function, inputs, variables, changing):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        scalar, rest = function(*inputs)
    found = tape.gradient(scalar, inputs + variables)
    return rest, found[: len(inputs)], found[len(inputs) :]


def _by_autograd(function, inputs, variables, changing):
    import torch

    with torch.enable_grad():
        inputs = [x.detach().clone().requires_grad_() for x in inputs]
        scalar, rest = function(*inputs)
        sources = inputs + [variable.value for variable in variables]
        found = list(torch.autograd.grad(scalar, sources, allow_unused=True)) if sources else []
    rest = keras.tree.map_structure(lambda x: x.detach() if hasattr(x, "detach") else x, rest)
    return rest, found[: len(inputs)], found[len(inputs) :]


def _by_transform(function, inputs, variables, changing):
    import jax

    def stateless(inputs, values):
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)) as scope:
            scalar, rest = function(*inputs)
        return scalar, (rest, [scope.get_current_value(variable) for variable in changing])

    values = [variable.value for variable in variables]
    # One compilation in total instead of one for every operation.
    differentiated = jax.jit(jax.grad(stateless, argnums=(0, 1), has_aux=True))
    found, (rest, changed) = differentiated(inputs, values)
    for variable, value in zip(changing, changed, strict=True):
        if value is not None:
            variable.assign(value)
    return rest, *map(list, found)
