"""JAX: gradients, updates, devices. `keras_spade.backends` documents each function.

A step is written as if variables could be assigned to. Here it runs inside a
`keras.StatelessScope`, which holds their values; the final values are the new state of Keras' loop.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import keras
import numpy as np
from jax import numpy as jnp

from keras_spade.arguments import ids_out_of_range
from keras_spade.backends.jax_cache import keep_programs
from keras_spade.backends.jax_loop import GuardedFunction
from keras_spade.backends.jax_loop import check_batches as check_batches
from keras_spade.backends.jax_loop import pass_over as pass_over
from keras_spade.backends.jax_loop import smallest_batch as smallest_batch
from keras_spade.backends.one_process import ARRAYS_STREAM_AS_DATASETS as ARRAYS_STREAM_AS_DATASETS
from keras_spade.backends.one_process import (
    READS_BATCHES_OF_PAST_STEPS as READS_BATCHES_OF_PAST_STEPS,
)
from keras_spade.backends.one_process import check_variables as check_variables
from keras_spade.backends.one_process import checking_first as checking_first
from keras_spade.backends.one_process import compiled as compiled
from keras_spade.backends.one_process import losing_no_worker as losing_no_worker
from keras_spade.backends.one_process import place_check as place_check
from keras_spade.backends.one_process import replicas as replicas
from keras_spade.backends.one_process import scope as scope
from keras_spade.backends.one_process import shared_by_workers as shared_by_workers
from keras_spade.backends.one_process import whole
from keras_spade.backends.one_process import workers as workers
from keras_spade.backends.one_process import writes_files as writes_files
from keras_spade.images import check_images, refusal
from keras_spade.tensor import Tensor

COMPILES_STEPS = True
FIRST_STEP = "compiled"
MULTIPLIES_BFLOAT16 = False
RUNS_MANY_STEPS = True
SHARES_BUFFERS = True
TRACES_TENSORFLOW = False


def run_step(model: keras.Model, step: Callable, state: tuple, data: Any) -> tuple[dict, tuple]:
    """Runs a step in a scope that holds the state; returns its logs and the new state."""
    groups = [model.trainable_variables, model.non_trainable_variables]
    if len(state) == 4:  # A training step.
        groups.append(model.optimizer.variables)
    groups.append(model.metrics_variables)
    pairs = [
        pair
        for variables, values in zip(groups, state, strict=True)
        for pair in zip(variables, values, strict=True)
    ]
    with keras.StatelessScope(state_mapping=pairs) as scope:
        logs = step(data, whole(data))
    return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)


def run_predict_step(step: Callable, state: tuple, data: Any) -> tuple[Any, tuple]:
    """Runs Keras' own step."""
    return step(state, data)


def minimize(
    losses: Callable[[], dict],
    variables: Sequence[keras.Variable],
    optimizer: keras.optimizers.Optimizer,
    statistics: Sequence[keras.Variable] = (),
    noise: Sequence[keras.Variable] = (),
    reads: Sequence[keras.Variable] = (),
    share: Tensor = 1.0,
) -> tuple[dict, Any]:
    """Differentiates the sum of `losses()` and applies the optimizer if everything is finite."""
    constants = [(variable, variable.value) for variable in (*reads, *statistics, *noise)]
    changing = [*statistics, *noise]
    scale = optimizer.scale_loss(jnp.ones(()))

    def scalar(values):
        mapping = constants + list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            found = losses()
        total = sum(found.values())
        changed = [scope.get_current_value(variable) for variable in changing]
        return total * scale.astype(total.dtype), (total, found, changed)

    values = [variable.value for variable in variables]
    (_, found), gradients = jax.value_and_grad(scalar, has_aux=True)(values)
    total, found, changed = found
    finite = all_finite([total, *gradients])
    skipped = jnp.logical_not(finite)
    moved, drawn = changed[: len(statistics)], changed[len(statistics) :]
    for variable, value in zip(noise, drawn, strict=True):
        variable.assign(value)
    for variable, value in zip(statistics, moved, strict=True):
        variable.assign(jnp.where(finite, value, variable.value))
    if not variables:
        return found, skipped
    state = [variable.value for variable in optimizer.variables]
    scales_loss = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if scales_loss:
        searching = optimizer.dynamic_scale.value > 1.0
        skipped &= jnp.logical_not(searching & all_finite([total]))
        # The optimizer itself checks whether everything is finite.
        gradients[0] = jnp.where(finite, gradients[0], jnp.nan)
    new_values, new_state = optimizer.stateless_apply(state, gradients, values)
    for variable, new in zip(
        [*variables, *optimizer.variables], [*new_values, *new_state], strict=True
    ):
        variable.assign(new if scales_loss else jnp.where(finite, new, variable.value))
    return found, skipped


def all_finite(tensors: Sequence[Tensor]) -> Tensor:
    """Whether all tensors, and the sums of their squares, are finite."""
    wide = [x.astype("float32") if x.dtype.itemsize < 4 else x for x in tensors]
    return jnp.all(jnp.isfinite(jnp.stack([jnp.sum(jnp.square(x)) for x in wide])))


def without_gradients() -> AbstractContextManager:
    """A context that does nothing: JAX detects constants itself."""
    return scope(None)


def on_host(function: Callable, *tensors: Tensor, shape: tuple | None = None) -> np.ndarray | None:
    """Calls a function with arrays, immediately."""
    return function(*map(keras.ops.convert_to_numpy, tensors))


def check_label_range(labels: Tensor, num_classes: int) -> Tensor:
    """Raises, naming the range, for ids outside `0..num_classes-1`, unless JAX is tracing."""
    if isinstance(labels, jax.core.Tracer) or not labels.size:
        return labels
    array = np.asarray(labels)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= num_classes:
        raise ValueError(ids_out_of_range(num_classes, low, high))
    return labels


def check_image_range(argument: str, image: Tensor, others: dict) -> tuple[Any, dict]:
    """Raises, naming the range, for integers and floats outside [-1, 1], unless JAX is tracing."""
    if not isinstance(image, jax.core.Tracer):
        check_images(argument, np.asarray(image))
    elif not jnp.issubdtype(image.dtype, jnp.floating):
        begin, end = refusal(argument, image.dtype.name)
        raise ValueError(f"{begin} unknown while JAX traces {end}.")
    return image, others


def guarded(
    model: keras.Model,
    function: Callable,
    prepare: Callable,
    counters: Sequence[keras.Variable] = (),
    steps: Callable[[], int | None] = lambda: None,
) -> Callable:
    """Prepares batches for compiled steps, which cannot check them; stores compiled steps."""
    compiled = model.jit_compile and not model.run_eagerly
    if compiled:
        keep_programs()
    return GuardedFunction(model, function, prepare if compiled else None, counters, steps)


def inference(
    model: keras.Model, function: Callable, variables: Sequence[keras.Variable]
) -> Callable:
    """The function, compiled; reads the current values of the variables at each call."""
    if model.run_eagerly or not model.jit_compile:
        return function
    keep_programs()

    @jax.jit
    def stateless(values, inputs):
        pairs = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return function(inputs)

    return lambda inputs: stateless([variable.value for variable in variables], inputs)
