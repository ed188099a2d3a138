"""Skipping steps that were made before an interruption."""

from collections.abc import Callable
from typing import Any

from keras_spade.backends import backend
from keras_spade.compiled_gan import CompiledGan


class PastSteps:
    """Wraps a train function and skips the first steps of a resumed epoch.

    Args:
        model: a `GauGAN`.
        train_function: makes the other steps.
        steps: number of steps already made.
        restore_metrics: restores the averages of the losses of these steps.
    """

    def __init__(
        self,
        model: CompiledGan,
        train_function: Callable,
        steps: int,
        restore_metrics: Callable[[], None],
    ):
        self.model = model
        self.train_function = train_function
        self.steps = steps
        self.restore_metrics = restore_metrics

    def __call__(self, *arguments: Any) -> Any:
        """Makes a step, or skips one."""
        if self.steps <= 0:
            return self.train_function(*arguments)
        self.steps -= self.model.steps_per_execution
        restore, self.restore_metrics = self.restore_metrics, None
        counters = self.model.skipped_steps.counters
        return backend.pass_over(self.model, arguments, restore, counters)
