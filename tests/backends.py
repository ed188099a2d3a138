"""What the tests do in another way on each backend of Keras."""

import contextlib

import keras
import pytest

BACKEND = keras.backend.backend()
# TensorFlow takes longer to trace a step than to make the few steps of a test; JAX compiles each
# operation of a step that is not compiled as a whole.
EAGERLY = BACKEND != "jax"


def label_error():
    """What a step raises for labels out of range."""
    if BACKEND != "tensorflow":
        return ValueError
    import tensorflow as tf

    return tf.errors.InvalidArgumentError


def bare_trainer(variables, statistics=()):
    """A trainer without a model, for a few variables."""
    from keras_spade.trainers import Trainer

    trainer = Trainer()
    if BACKEND == "jax":
        trainer.seed_generator = keras.random.SeedGenerator(0)
        trainer.trainable_variables = list(variables)
        trainer.non_trainable_variables = [*statistics, trainer.seed_generator.state]
    return trainer


def only_on(backend, reason):
    """Marks tests of what one backend alone has."""
    return pytest.mark.skipif(BACKEND != backend, reason=f"{backend} only: {reason}")


def not_on(backend, reason):
    """Marks tests of what one backend has not."""
    return pytest.mark.skipif(BACKEND == backend, reason=f"not on {backend}: {reason}")


def without_gradients():
    """PyTorch's tensors become arrays only where no gradients are asked for."""
    if BACKEND != "torch":
        return contextlib.nullcontext()
    import torch

    return torch.no_grad()


def differentiate(function, inputs, variables, changing=()):
    """Gradients of a scalar, on any backend.

    Args:
        function: of the inputs; returns the scalar, and anything else there is.
        inputs: tensors or arrays to differentiate by, given to `function`.
        variables: Keras variables to differentiate by.
        changing: variables that `function` assigns to.

    Returns:
        What else there is, the gradients for `inputs`, and those for `variables` (`None` where
        TensorFlow and PyTorch find that there is no way from one to the other).
    """
    inputs = [keras.ops.convert_to_tensor(x) for x in inputs]
    return {"tensorflow": _by_tape, "torch": _by_autograd, "jax": _by_transform}[BACKEND](
        function, inputs, list(variables), list(changing)
    )


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
        found = list(torch.autograd.grad(scalar, sources, allow_unused=True))
    rest = keras.tree.map_structure(lambda x: x.detach() if hasattr(x, "detach") else x, rest)
    return rest, found[: len(inputs)], found[len(inputs) :]


def _by_transform(function, inputs, variables, changing):
    import jax

    def stateless(inputs, values):
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)) as scope:
            scalar, rest = function(*inputs)
        return scalar, (rest, [scope.get_current_value(variable) for variable in changing])

    values = [variable.value for variable in variables]
    found, (rest, changed) = jax.grad(stateless, argnums=(0, 1), has_aux=True)(inputs, values)
    for variable, value in zip(changing, changed, strict=True):
        if value is not None:
            variable.assign(value)
    return rest, *map(list, found)
