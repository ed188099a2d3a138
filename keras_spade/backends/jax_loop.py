"""Keras' loop on JAX, which carries the model's state: what happens around the steps."""

import contextlib
import itertools
import math
import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import jax
import keras

HELP = (
    "Under `keras.distribution` every batch must be divisible by the number of devices: choose "
    "`batch_size` accordingly, and drop an incomplete last batch (`drop_remainder=True`)."
)


def on_accelerator() -> bool:
    """Whether JAX computes on a GPU or TPU."""
    return jax.default_backend() != "cpu"


def smallest_batch() -> int:
    """One sample per device."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.num_model_replicas


def check_batches(
    x: Any, batch_size: int | None = None, steps_per_epoch: int | None = None
) -> None:
    """Raises if it is known in advance that the devices cannot share a batch.

    Args:
        x: arrays or a dataset, as in `fit`.
        batch_size: as in `fit`.
        steps_per_epoch: as in `fit`.
    """
    devices = smallest_batch()
    if keras.distribution.distribution() is None or steps_per_epoch is not None:
        return
    if hasattr(x, "element_spec"):
        sizes = {spec.shape[0] for spec in keras.tree.flatten(x.element_spec)} - {None}
    else:
        shapes = [getattr(array, "shape", ()) for array in keras.tree.flatten(x)]
        samples = {shape[0] for shape in shapes if shape}
        batch_size = batch_size or 32
        sizes = {min(batch_size, n) for n in samples} | {n % batch_size for n in samples}
    for size in sorted(sizes):
        if size % devices:
            raise ValueError(f"`x`: a batch of {size} for {devices} devices. {HELP}")


class GuardedFunction:
    """A train, test or predict function of Keras whose batches are prepared first.

    A compiled function returns before the device has computed. On an accelerator, the host then
    reads and prepares the batches of the next call, so the device does not wait for data, checks or
    the search for label patterns. (Callbacks that read losses wait for the device.) After the last
    step of an epoch nothing is read: a generator would lose the batch, and its data may change.

    Args:
        model: a `keras.Model`.
        function: runs `model.steps_per_execution` steps.
        prepare: raises an error for an invalid batch, returns the batch for the step; `None` if
            the function is not compiled.
        counters: the last variables of the loop's state, updated outside of it after each call.
        steps: returns the number of steps after which the loop stops reading; `None`: it reads
            iterators to their end.
    """

    def __init__(
        self,
        model: keras.Model,
        function: Callable,
        prepare: Callable[[Any], Any] | None,
        counters: Sequence[keras.Variable],
        steps: Callable[[], int | None],
    ):
        self.model = model
        self.function = function
        self.prepare = prepare
        self.counters = counters
        self.steps = steps
        # By iterator, as long as Keras uses it: the calls so far, and what has been read ahead.
        self.calls = weakref.WeakKeyDictionary()
        self.ahead = weakref.WeakKeyDictionary()

    def __call__(self, state: Sequence[list], iterator: Iterator) -> tuple[Any, Sequence[list]]:
        """Runs steps."""
        with _whole_state(self.model, state):
            # All batches of this call, before the first step consumes the state.
            batches = self._next_batches(iterator)
            if not batches:
                raise StopIteration
            logs, state = self.function(state, iter(batches))
        del batches  # They need not stay in memory beside the next ones.
        if self._another_follows(iterator):
            with _whole_state(self.model, state):
                self._read_ahead(iterator)
        show_counters(self.counters, state)
        return logs, state

    def _another_follows(self, iterator):
        """Counts a call; whether to read ahead for the next one."""
        # Keras' iterators are generators; others may not have weak references.
        if self.prepare is None or not on_accelerator() or not isinstance(iterator, Generator):
            return False
        calls = self.calls[iterator] = self.calls.get(iterator, 0) + 1
        steps = self.steps()
        return steps is None or calls % math.ceil(steps / self.model.steps_per_execution) != 0

    def _read_ahead(self, iterator):
        """Reads the batches of the next call, which raises the error if that fails."""
        try:
            self.ahead[iterator] = self._read(iterator)
        except Exception as error:
            self.ahead[iterator] = error

    def _next_batches(self, iterator):
        read = self.ahead.pop(iterator) if iterator in self.ahead else self._read(iterator)
        if isinstance(read, Exception):
            raise read
        return read

    def _read(self, iterator):
        return list(itertools.islice(self._prepared(iterator), self.model.steps_per_execution))

    def _prepared(self, iterator):
        while True:
            try:
                batch = next(iterator)
            except StopIteration:
                return
            except ValueError as error:
                if type(error).__name__ != "IndivisibleError":
                    raise
                raise ValueError(f"A batch cannot be shared by the devices. {HELP}") from error
            yield self.prepare(batch) if self.prepare else batch


def show_counters(counters: Sequence[keras.Variable], state: Sequence[list]) -> None:
    """Assigns to counters their values in the loop's state, of which they are the last."""
    values = state[-1][len(state[-1]) - len(counters) :]
    for variable, value in zip(counters, values, strict=True):
        variable.assign(value)


def pass_over(
    model: keras.Model,
    arguments: tuple,
    restore: Callable | None,
    counters: Sequence[keras.Variable],
) -> tuple[dict, Sequence[list]]:
    """Skips the batches of steps that were run before; returns the averages so far and the state.

    Args:
        model: a `keras.Model`.
        arguments: those of its train function: the state of the loop and an iterator.
        restore: gives the model the averages of the losses of these steps; `None`: it already has
            them.
        counters: as in `guarded`.
    """
    state, batches = arguments
    for _ in range(model.steps_per_execution):
        next(batches)
    show_counters(counters, state)
    if restore is not None:
        restore()
        averages = [v.value for m in model.metrics for v in m.variables]
        state = (*state[:-1], averages + state[-1][len(averages) :])
    return model.get_metrics_result(), state


@contextlib.contextmanager
def _whole_state(model, state):
    """Restores a model's variables if a step fails.

    Keras' loop takes them out of the model before the first step of an epoch, and puts them back
    only after a successful step.
    """
    try:
        yield
    except BaseException:
        names = ["trainable_variables", "non_trainable_variables"]
        if len(state) == 4:
            names.append("optimizer_variables")
        if len(state) > 2:
            names.append("metrics_variables")
        values = [value for group in state for value in group]
        if any(isinstance(x, jax.Array) and x.is_deleted() for x in values):
            model._jax_state = None  # The remaining state is outdated, and its buffers are deleted.
        else:
            model._jax_state = dict(zip(names, state, strict=True))
            model._jax_state_synced = False
            model.jax_state_sync()
        raise
