"""Steps that were skipped, counted, told of, and too many."""

import warnings

import keras


class StopOnSkippedSteps(keras.callbacks.Callback):
    """Tells of every step that was skipped, and stops when there are too many in a row.

    Args:
        goes_on: whether an interrupted training goes on, with the row it had.
    """

    def __init__(self, goes_on=False):
        super().__init__()
        self.goes_on = goes_on

    def on_train_begin(self, logs=None):
        """Begins to count."""
        self.model.skipped_steps.begin_a_row(anew=not self.goes_on)
        self.seen = self.model.skipped_steps.total_number()

    def on_epoch_begin(self, epoch, logs=None):
        """Keeps the number of the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Looks for skipped steps."""
        total = self.model.skipped_steps.total_number()
        if total == self.seen:
            return
        new, self.seen = total - self.seen, total
        longest = self.model.skipped_steps.longest_row()
        self.model.skipped_steps.begin_a_row(anew=False)
        what = f"Epoch {self.epoch + 1}, step {batch + 1}: a loss or gradient was not finite"
        limit = self.model.max_skipped_steps
        if limit is None or longest < limit:
            warnings.warn(
                f"{what}; skipped: {new}, {self.model.skipped_steps.number_in_a_row()} in a row, "
                f"{total} in all.",
                RuntimeWarning,
                stacklevel=2,
            )
            return
        raise RuntimeError(
            f"{what}, in {longest} steps in a row. Training stops; what was not finite has reached "
            "neither weights nor statistics nor backups. Look for bad images among the data, lower "
            "the learning rates, or set `compile(max_skipped_steps=...)`."
        )


class SkippedSteps:
    """Counts the steps that were skipped as a loss or gradient was not finite.

    (Not a Keras object, so that the counters are no weights of the model.)
    """

    def __init__(self):
        self.total = self._counter("total")
        self.in_a_row = self._counter("in_a_row")
        self.longest = self._counter("longest")

    @staticmethod
    def _counter(name):
        return keras.Variable(
            0, dtype="int32", trainable=False, aggregation="only_first_replica", name=name
        )

    @property
    def variables(self):
        """The counters that training goes on with."""
        return [self.total, self.in_a_row]

    def count(self, skipped):
        """Counts a step, in a training step.

        Args:
            skipped: boolean tensor.
        """
        one = keras.ops.cast(skipped, "int32")
        self.total.assign(self.total + one)
        self.in_a_row.assign((self.in_a_row + one) * one)
        self.longest.assign(keras.ops.maximum(self.longest, self.in_a_row))

    def begin_a_row(self, anew):
        """Forgets the rows before; if anew, the one that has begun too."""
        if anew:
            self.in_a_row.assign(0)
        self.longest.assign(self.in_a_row)

    def total_number(self):
        """How many steps were skipped in all."""
        return int(keras.ops.convert_to_numpy(self.total))

    def number_in_a_row(self):
        """How many of the last steps were skipped."""
        return int(keras.ops.convert_to_numpy(self.in_a_row))

    def longest_row(self):
        """How many steps were skipped in a row, at most, since `begin_a_row`."""
        return int(keras.ops.convert_to_numpy(self.longest))
