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


def check_same_place(strategy, place):
    """Raises, on all workers, if they are not to begin at the same epoch and step."""

    @tf.function
    def spread():
        def on_replica():
            mine = tf.constant(place, tf.int64)
            context = tf.distribute.get_replica_context()
            total = context.all_reduce(tf.distribute.ReduceOp.SUM, mine)
            off = tf.abs(total - mine * context.num_replicas_in_sync)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, off)

        return strategy.run(on_replica)

    off = strategy.experimental_local_results(spread())[0]
    if tf.reduce_any(off > 0):
        raise ValueError(
            "`backup_dir`: the workers have restored different backups; this one stands at epoch "
            f"{place[0] + 1}, step {place[1] + 1}. All workers must see the same folder."
        )


@contextlib.contextmanager
def losing_no_worker(workers, backup):
    """Says what to do where TensorFlow reports that another worker has gone."""
    try:
        yield
    except LOST as error:
        if workers == 1:
            raise
        then = (
            f"training goes on from the last backup in {backup.directory}"
            if backup is not None
            else "training begins anew, as there is no `callbacks.BackupAndRestore`"
        )
        raise RuntimeError(
            "Another worker is lost, or cannot be reached, and training cannot go on without it. "
            f"Start all the workers again with the same command: {then}."
        ) from error
