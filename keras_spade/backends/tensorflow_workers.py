"""Several processes that train together, under `tf.distribute.MultiWorkerMirroredStrategy`."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

# Errors that TensorFlow raises if another worker is lost.
LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Blocks until all workers have called it."""
    _sum(strategy, [0])


def check_same_place(
    strategy: tf.distribute.Strategy, place: tuple[int, int], checksum: int
) -> None:
    """Raises on all workers if they have not restored the same backup.

    Args:
        strategy: the strategy of the workers.
        place: epoch and step to start at.
        checksum: checksum of the backup.
    """
    mine = [*place, checksum]
    replicas = strategy.num_replicas_in_sync
    off = [abs(total - replicas * x) for total, x in zip(_sum(strategy, mine), mine, strict=True)]
    if any(_sum(strategy, off)):
        raise ValueError(
            "The workers do not start at the same step or from the same backup; this one starts "
            f"at epoch {place[0] + 1}, step {place[1] + 1}. All workers need the same `backup_dir` "
            "and the same `initial_epoch`."
        )


def _sum(strategy, numbers):
    """The sums of integers over all replicas."""

    def on_replica():
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.constant(numbers, tf.int64))

    total = tf.function(lambda: strategy.run(on_replica))()
    return [int(number) for number in strategy.experimental_local_results(total)[0]]


@contextlib.contextmanager
def losing_none(advice: str) -> Iterator[None]:
    """Explains what to do if TensorFlow reports that another worker is lost.

    Args:
        advice: what happens when all workers are restarted.
    """
    try:
        yield
    except LOST as error:
        raise RuntimeError(
            "Another worker is lost, or cannot be reached, and training cannot continue without "
            f"it. Restart all workers with the same command: {advice}. (TensorFlow reports: "
            f"{type(error).__name__}: {error.message.partition(chr(10))[0]})"
        ) from error
