"""Counting and reporting skipped steps, and stopping if there are too many."""

import warnings

import keras

from keras_spade.tensor import Tensor


class StopOnSkippedSteps(keras.callbacks.Callback):
    """Warns about every skipped step, and stops training if there are too many in a row.

    Args:
        skipped_steps: the `SkippedSteps` of the model. (Accessing `model` in a callback on JAX
            first copies all variables back.)
        limit: the number in a row that stops training; `None`: no limit.
        resumes: whether an interrupted training resumes, with its current row.
    """

    def __init__(self, skipped_steps: "SkippedSteps", limit: int | None, resumes: bool = False):
        super().__init__()
        self.skipped_steps = skipped_steps
        self.limit = limit
        self.resumes = resumes

    def on_train_begin(self, logs=None):
        """Starts counting."""
        self.skipped_steps.begin_a_row(from_scratch=not self.resumes)
        self.seen = self.skipped_steps.total_number()
        self.seen_of_images = self.skipped_steps.number_of_images()

    def on_epoch_begin(self, epoch, logs=None):
        """Stores the number of the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Checks for skipped steps."""
        total = self.skipped_steps.total_number()
        if total == self.seen:
            return
        new, self.seen = total - self.seen, total
        longest = self.skipped_steps.longest_row()
        self.model.skipped_steps.begin_a_row(from_scratch=False)
        what = f"Epoch {self.epoch + 1}, step {batch + 1}: a loss or gradient was not finite"
        of_images = self.skipped_steps.number_of_images()
        if of_images > self.seen_of_images:
            what += ", because the images contain NaN or infinity"
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
            f"{what}, in {longest} steps in a row. Training stops; non-finite values have reached "
            "neither weights nor statistics nor backups. Look for bad images in the data, lower "
            "the learning rates, or set `compile(max_skipped_steps=...)`."
        )


class SkippedSteps:
    """Counts the steps that were skipped because a loss or gradient was not finite.

    (Not a Keras object, so that the counters are not weights of the model.)
    """

    def __init__(self):
        self.total = self._counter("total")
        self.in_a_row = self._counter("in_a_row")
        self.longest = self._counter("longest")
        self.of_images = self._counter("of_images")

    @staticmethod
    def _counter(name):
        return keras.Variable(
            0, dtype="int", trainable=False, aggregation="only_first_replica", name=name
        )

    @property
    def counters(self) -> list[keras.Variable]:
        """All counters."""
        return [self.total, self.in_a_row, self.longest, self.of_images]

    @property
    def variables(self) -> list[keras.Variable]:
        """The counters with which training resumes."""
        return [self.total, self.in_a_row]

    def count(self, skipped: Tensor, bad_images: Tensor = False) -> None:
        """Counts a step, in a training step.

        Args:
            skipped: boolean tensor.
            bad_images: boolean tensor, whether its images contain NaN or infinity.
        """
        one = keras.ops.cast(skipped, self.total.dtype)
        self.of_images.assign(self.of_images + one * keras.ops.cast(bad_images, one.dtype))
        self.total.assign(self.total + one)
        self.in_a_row.assign((self.in_a_row + one) * one)
        self.longest.assign(keras.ops.maximum(self.longest, self.in_a_row))

    def begin_a_row(self, from_scratch: bool) -> None:
        """Forgets earlier rows; with `from_scratch`, also the current one."""
        if from_scratch:
            self.in_a_row.assign(0)
        self.longest.assign(self.number_in_a_row())

    def total_number(self) -> int:
        """The total number of skipped steps."""
        return int(keras.ops.convert_to_numpy(self.total))

    def number_of_images(self) -> int:
        """The number of skipped steps whose images contain NaN or infinity."""
        return int(keras.ops.convert_to_numpy(self.of_images))

    def number_in_a_row(self) -> int:
        """The number of skipped steps in the current row."""
        return int(keras.ops.convert_to_numpy(self.in_a_row))

    def longest_row(self) -> int:
        """The largest number of steps skipped in a row since `begin_a_row`."""
        return int(keras.ops.convert_to_numpy(self.longest))
