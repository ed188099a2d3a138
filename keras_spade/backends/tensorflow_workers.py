"""Several processes that train together, under `tf.distribute.MultiWorkerMirroredStrategy`."""

import contextlib

import tensorflow as tf

# What is raised where another worker has gone.
LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)


def wait_for_all(strategy):
    """Returns when all workers have called it."""
    _sum(strategy, [0])


def check_same_place(strategy, place, checksum):
    """Raises, on all workers, if they have not restored the same backup.

    Args:
        strategy: whose workers they are.
        place: epoch and step to begin at.
        checksum: of the backup.
    """
    mine = [*place, checksum]
    replicas = strategy.num_replicas_in_sync
    off = [abs(total - replicas * x) for total, x in zip(_sum(strategy, mine), mine, strict=True)]
    if any(_sum(strategy, off)):
        raise ValueError(
            "The workers do not begin at the same place, or from the same backup; this one begins "
            f"at epoch {place[0] + 1}, step {place[1] + 1}. All must see the same `backup_dir` and "
            "be given the same `initial_epoch`."
        )


def _sum(strategy, numbers):
    """The sums of integers over all replicas."""

    def on_replica():
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.constant(numbers, tf.int64))

    total = tf.function(lambda: strategy.run(on_replica))()
    return [int(number) for number in strategy.experimental_local_results(total)[0]]


@contextlib.contextmanager
def losing_none(advice):
    """Says what to do where TensorFlow reports that another worker is lost.

    Args:
        advice: what happens when all workers are started again.
    """
    try:
        yield
    except LOST as error:
        raise RuntimeError(
            "Another worker is lost, or cannot be reached, and training cannot go on without it. "
            f"Start all the workers again with the same command: {advice}. (TensorFlow says: "
            f"{type(error).__name__}: {error.message.partition(chr(10))[0]})"
        ) from error
