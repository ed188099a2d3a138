"""What other parts of the package use of a compiled `GauGAN`."""

from collections.abc import Callable
from typing import Any, Protocol

import keras

from keras_spade.gan import Gan


class CompiledGan(Gan, Protocol):
    """The part of a compiled `GauGAN` that `callbacks/` and `runs/` use."""

    optimizer: Any  # `AlternatingOptimizers`
    generator_optimizer: keras.optimizers.Optimizer
    discriminator_optimizer: keras.optimizers.Optimizer
    initial_learning_rates: tuple[float, float]
    objective: Any  # `Objective`
    loss_trackers: list[keras.metrics.Metric]
    keeps_averages: bool
    skipped_steps: Any  # `SkippedSteps`
    max_skipped_steps: int | None
    # The `SwapEMAWeights` of the running `fit`, and whether a file was saved after one.
    swaps: tuple
    loaded_swapped: bool
    # Of `keras.Model`:
    run_eagerly: bool
    jit_compile: bool
    steps_per_execution: int
    stop_training: bool
    history: keras.callbacks.History
    train_function: Callable | None

    def make_train_function(self, force: bool = False) -> None:
        """Makes the function that Keras' loop calls for a training step."""
