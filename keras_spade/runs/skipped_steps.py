"""Steps that were skipped, counted, told of, and too many."""

import warnings

import keras


class StopOnSkippedSteps(keras.callbacks.Callback):
    """Tells of every step that was skipped, and stops when there are too many in a row.

    Args:
        skipped_steps: the `SkippedSteps` of the model. (Asked for its `model`, a callback on JAX
            first has all variables put back into it.)
        limit: how many in a row are too many; `None`: any number is not.
        goes_on: whether an interrupted training goes on, with the row it had.
    """

    def __init__(self, skipped_steps, limit, goes_on=False):
        super().__init__()
        self.skipped_steps = skipped_steps
        self.limit = limit
        self.goes_on = goes_on

    def on_train_begin(self, logs=None):
        """Begins to count."""
        self.skipped_steps.begin_a_row(anew=not self.goes_on)
        self.seen = self.skipped_steps.total_number()
        self.seen_of_images = self.skipped_steps.number_of_images()

    def on_epoch_begin(self, epoch, logs=None):
        """Keeps the number of the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Looks for skipped steps."""
        total = self.skipped_steps.total_number()
        if total == self.seen:
            return
        new, self.seen = total - self.seen, total
        longest = self.skipped_steps.longest_row()
        self.model.skipped_steps.begin_a_row(anew=False)
        what = f"Epoch {self.epoch + 1}, step {batch + 1}: a loss or gradient was not finite"
        of_images = self.skipped_steps.number_of_images()
        if of_images > self.seen_of_images:
            what += ", as the images hold NaN or infinity"
        self.seen_of_images = of_images
        if self.limit is None or longest < self.limit:
            in_a_row = self.skipped_steps.number_in_a_row()
            warnings.warn(
                f"{what}; skipped: {new}, {in_a_row} in a row, {total} in all.",
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
        self.of_images = self._counter("of_images")

    @staticmethod
    def _counter(name):
        return keras.Variable(
            0, dtype="int32", trainable=False, aggregation="only_first_replica", name=name
        )

    @property
    def counters(self):
        """All counters."""
        return [self.total, self.in_a_row, self.longest, self.of_images]

    @property
    def variables(self):
        """The counters that training goes on with."""
        return [self.total, self.in_a_row]

    def count(self, skipped, bad_images=False):
        """Counts a step, in a training step.

        Args:
            skipped: boolean tensor.
            bad_images: boolean tensor, whether its images hold NaN or infinity.
        """
        one = keras.ops.cast(skipped, "int32")
        self.of_images.assign(self.of_images + one * keras.ops.cast(bad_images, "int32"))
        self.total.assign(self.total + one)
        self.in_a_row.assign((self.in_a_row + one) * one)
        self.longest.assign(keras.ops.maximum(self.longest, self.in_a_row))

    def begin_a_row(self, anew):
        """Forgets the rows before; if anew, the one that has begun too."""
        if anew:
            self.in_a_row.assign(0)
        self.longest.assign(self.number_in_a_row())

    def total_number(self):
        """How many steps were skipped in all."""
        return int(keras.ops.convert_to_numpy(self.total))

    def number_of_images(self):
        """How many steps were skipped whose images hold NaN or infinity."""
        return int(keras.ops.convert_to_numpy(self.of_images))

    def number_in_a_row(self):
        """How many of the last steps were skipped."""
        return int(keras.ops.convert_to_numpy(self.in_a_row))

    def longest_row(self):
        """How many steps were skipped in a row, at most, since `begin_a_row`."""
        return int(keras.ops.convert_to_numpy(self.longest))
