"""TensorFlow: gradients, updates, replicas. `keras_spade.backends` documents each function."""

import contextlib
import functools
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_spade.arguments import ids_out_of_range
from keras_spade.backends.part import Part
from keras_spade.backends.replicas import place_in_batch, samples_present
from keras_spade.backends.tensorflow_updates import all_finite, apply_or_undo
from keras_spade.backends.tensorflow_workers import check_same_place, losing_none, wait_for_all
from keras_spade.backends.tensorflow_xla import checking_first as checking_first
from keras_spade.backends.tensorflow_xla import compiled as compiled
from keras_spade.backends.tensorflow_xla import compiles
from keras_spade.images import BEYOND, check_images, refusal
from keras_spade.tensor import Tensor

COMPILES_STEPS = True
FIRST_STEP = "traced"
MULTIPLIES_BFLOAT16 = True
RUNS_MANY_STEPS = True
ARRAYS_STREAM_AS_DATASETS = True
READS_BATCHES_OF_PAST_STEPS = False
SHARES_BUFFERS = False
TRACES_TENSORFLOW = True

# Replicas are threads; on the host they run one at a time.
_HOST = threading.Lock()
# The message of a failed assertion of `check_image_range`: begin, low, high, end.
_REFUSAL = re.compile(r"\[(`\w+` must be floats.*?)\] \[(.*?)\] \[(.*?)\] \[(\(.*?\))\]")

# === Steps, on one replica ===


def run_step(model: keras.Model, step: Callable, data: Any) -> dict:
    """Runs a step on this replica's part of a batch."""
    with _samples(data) as (data, samples, count):
        _, total = place_in_batch(samples)
        share = tf.cast(count, tf.float64) / tf.cast(total, tf.float64)
        logs = step(data, Part(total, share))
    if workers(model) > 1:
        # Keras takes means over workers along an axis that scalars lack.
        return {name: tf.reshape(value, (1,)) for name, value in logs.items()}
    return logs


def run_predict_step(step: Callable, data: Any) -> tf.Tensor:
    """Runs Keras' own step on this replica's part of a batch."""
    with _samples(data) as (data, _, count):
        return step(data)[:count]


@contextlib.contextmanager
def _samples(data):
    """This replica's batch, padded to at least one sample; its size with and without padding."""
    arrays = [array for array in keras.tree.flatten(data) if array is not None]
    count = tf.shape(arrays[0])[0]
    if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
        yield data, count, count
        return

    def at_least_one(array):
        missing = tf.maximum(1 - tf.shape(array)[0], 0)
        return tf.pad(array, [[0, missing], *([[0, 0]] * (len(array.shape) - 1))])

    data = keras.tree.map_structure(lambda x: None if x is None else at_least_one(x), data)
    with samples_present(count > 0):
        yield data, tf.maximum(count, 1), count


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
    statistics = [variable.value for variable in statistics]
    before = [tf.identity(variable) for variable in statistics]
    with tf.GradientTape() as tape:
        values = losses()
        # Keras optimizers sum gradients over replicas.
        total = tf.add_n(list(values.values()))
        total = total * tf.cast(share, total.dtype)
        scaled = optimizer.scale_loss(total)
    gradients = tape.gradient(scaled, variables)
    pairs = [pair for pair in zip(gradients, variables, strict=True) if pair[0] is not None]
    gradients, variables = [g for g, _ in pairs], [v for _, v in pairs]
    finite = all_finite([total, *gradients])
    skipped = tf.logical_not(finite)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        searching = optimizer.dynamic_scale > 1.0
        skipped &= tf.logical_not(searching & all_finite([total]))
    apply_or_undo(finite, optimizer, gradients, variables, statistics, before)
    return values, skipped


def without_gradients() -> AbstractContextManager:
    """A context that does nothing: TensorFlow detects constants itself."""
    return contextlib.nullcontext()


def on_host(function: Callable, *tensors: Tensor, shape: tuple | None = None) -> Tensor | None:
    """Calls a function with arrays, immediately or each time the graph runs."""

    def alone(*arrays):
        with _HOST:
            return function(*arrays)

    if tf.executing_eagerly():
        return alone(*(np.asarray(tensor) for tensor in tensors))
    found = tf.numpy_function(alone, tensors, [] if shape is None else tf.float64)
    return None if shape is None else tf.ensure_shape(found, shape)


def check_label_range(labels: Tensor, num_classes: int) -> tf.Tensor:
    """Fails when the labels are read, naming the range, for ids outside `0..num_classes-1`."""
    low, high = tf.reduce_min(labels), tf.reduce_max(labels)
    ok = tf.logical_and(low >= 0, high < num_classes)
    message = [ids_out_of_range(num_classes), low, high]
    with tf.control_dependencies([tf.debugging.Assert(ok, message)]):
        return tf.identity(labels)


def check_image_range(argument: str, image: Tensor, others: dict) -> tuple[Any, dict]:
    """Fails when images or `others` are read, naming the range, for values outside [-1, 1]."""
    if tf.executing_eagerly():
        check_images(argument, image.numpy())
        return image, others
    if image.dtype.is_floating:
        finite = tf.where(tf.math.is_finite(image), image, tf.zeros_like(image))
    else:
        finite = tf.cast(image, tf.int64)
    low, high = tf.reduce_min(finite), tf.reduce_max(finite)
    ok = tf.logical_and(low >= -BEYOND, high <= BEYOND) if image.dtype.is_floating else False
    begin, end = refusal(argument, image.dtype.name)
    with tf.control_dependencies([tf.debugging.Assert(ok, [begin, low, high, end])]):
        return keras.tree.map_structure(tf.identity, (image, others))


# === Around steps ===


def guarded(
    model: keras.Model,
    function: Callable,
    prepare: Callable,
    counters: Sequence[keras.Variable] = (),
    steps: Callable[[], int | None] = lambda: None,
) -> Callable:
    """The function; raises a ValueError for images that the step itself has refused."""

    @functools.wraps(function)
    def run(iterator):
        try:
            return function(iterator)
        except tf.errors.InvalidArgumentError as error:
            found = _REFUSAL.search(error.message)
            if found is None:
                raise
            begin, low, high, end = found.groups()
            raise ValueError(f"{begin} {low}, {high} {end}.") from None

    return run


def pass_over(
    model: keras.Model,
    arguments: tuple,
    restore: Callable | None,
    counters: Sequence[keras.Variable],
) -> dict:
    """The averages so far."""
    if restore is not None:
        restore()
    return model.get_metrics_result()


def inference(
    model: keras.Model, function: Callable, variables: Sequence[keras.Variable]
) -> Callable:
    """The function, compiled; on the device of the strategy, if it has only one."""
    run = function
    if replicas(model) == 1:
        run = functools.partial(_on_strategy, model.distribute_strategy, function)
    if model.run_eagerly:
        return run
    return tf.function(run, reduce_retracing=True, jit_compile=model.compiled and compiles(model))


def _on_strategy(strategy, function, inputs):
    return strategy.run(function, args=(inputs,))


# === Replicas and workers ===


def replicas(model: keras.Model) -> int:
    """The number of replicas that train together, on all workers."""
    return model.distribute_strategy.num_replicas_in_sync


def workers(model: keras.Model) -> int:
    """The number of processes that train together."""
    if replicas(model) == 1:
        return 1
    return replicas(model) // len(model.distribute_strategy.extended.worker_devices)


def writes_files(model: keras.Model) -> bool:
    """Whether this process writes files: of several workers, only the first one does."""
    return model.distribute_strategy.extended.should_checkpoint


def scope(model: keras.Model | None) -> AbstractContextManager:
    """The scope of the model's strategy."""
    return model.distribute_strategy.scope()


def check_variables(model: keras.Model, **groups: list[keras.Variable]) -> None:
    """Raises, naming the argument, if variables were created outside the strategy's scope."""
    extended = model.distribute_strategy.extended
    for argument, variables in groups.items():
        if not all(extended.variable_created_in_scope(v.value) for v in variables):
            raise ValueError(
                f"`{argument}` was not created in the `strategy.scope()` of the model. Create "
                "networks, model and optimizers in one `with strategy.scope():`."
            )


def check_batches(
    x: Any, batch_size: int | None = None, steps_per_epoch: int | None = None
) -> None:
    """Does nothing: replicas can share any batch."""


def smallest_batch() -> int:
    """Always 1."""
    return 1


def losing_no_worker(model: keras.Model, advice: str) -> AbstractContextManager:
    """A context that explains what to do if TensorFlow reports that another worker is lost."""
    return losing_none(advice) if workers(model) > 1 else contextlib.nullcontext()


def place_check(model: keras.Model) -> Callable | None:
    """`None` for one worker; else waits for all of them and returns the function that checks."""
    if workers(model) == 1:
        return None
    # After this, all see the changes that the first worker made before, to the folder for example.
    wait_for_all(model.distribute_strategy)
    return functools.partial(check_same_place, model.distribute_strategy)


def shared_by_workers(model: keras.Model, data: Any) -> Any:
    """The data; a dataset's batches are split over the workers unless its options say otherwise."""
    if workers(model) == 1:
        return data
    return split_over_workers(data)


def split_over_workers(data: Any) -> Any:
    """Makes a dataset split its batches, unless its options say otherwise; other data unchanged."""
    if not isinstance(data, tf.data.Dataset):
        return data
    options = data.options()
    policy = tf.data.experimental.AutoShardPolicy
    if options.experimental_distribute.auto_shard_policy == policy.AUTO:
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = policy.DATA
        data = data.with_options(options)
    return data
