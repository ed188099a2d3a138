"""A training of fixed wall-clock time."""

import time

import keras


class TimeLimit(keras.callbacks.Callback):
    """Ends a training after some minutes, with rates that fall to zero over the second half.

    The clock starts after the first step, which traces or compiles the model. Rates are set
    before each step, because such trainings may last less than two epochs:

        rate = initial rate * min(1, 2 * (1 - elapsed / minutes))

    Args:
        minutes: from the end of the first step.
        steps: the training ends after this many steps, if that is sooner; `None`: only by the
            clock.
        clock: function that returns seconds; `time.process_time` counts processor time.

    Attributes:
        first_step: seconds of the first step.
        seconds: of all others.
        done: steps made.
    """

    def __init__(self, minutes, steps=None, clock=time.perf_counter):
        super().__init__()
        self.minutes = minutes
        self.steps = steps
        self.clock = clock
        self.first_step, self.seconds, self.done = None, 0.0, 0

    def on_train_begin(self, logs=None):
        """Records the rates and the start of the first step."""
        rates = [optimizer.learning_rate for optimizer in self._optimizers]
        self.rates = [float(keras.ops.convert_to_numpy(rate)) for rate in rates]
        self.began = self.clock()

    @property
    def _optimizers(self):
        if hasattr(self.model, "generator_optimizer"):
            return [self.model.generator_optimizer, self.model.discriminator_optimizer]
        return [self.model.optimizer]

    @property
    def share(self):
        """The fraction of the time that has passed."""
        return min(self.seconds / (60 * self.minutes), 1.0)

    def on_train_batch_begin(self, batch, logs=None):
        """Sets the rates."""
        if keras.config.backend() == "jax":
            self.model.jax_state_sync()  # Within an epoch, the loop holds the variables' values.
        factor = min(1.0, 2 * (1 - self.share))
        for optimizer, rate in zip(self._optimizers, self.rates, strict=True):
            optimizer.learning_rate = rate * factor

    def on_train_batch_end(self, batch, logs=None):
        """Checks the clock."""
        now = self.clock()
        if self.first_step is None:
            self.first_step, self.began = now - self.began, now
        self.done += 1
        self.seconds = now - self.began
        if self.share == 1 or self.done == self.steps:
            self.model.stop_training = True
