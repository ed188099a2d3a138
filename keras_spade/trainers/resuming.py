"""What `fit` needs for going on in the middle of an epoch."""

import keras

from keras_spade.callbacks import BackupAndRestore


def split_callbacks(callbacks):
    """A list of callbacks, and the `BackupAndRestore` among them, or `None`, which is not in it."""
    if callbacks is None:
        callbacks = []
    elif isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    elif isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks]
    backups = [c for c in callbacks if isinstance(c, BackupAndRestore)]
    if len(backups) > 1:
        raise ValueError("`callbacks`: there must be one BackupAndRestore at most.")
    others = [c for c in callbacks if not isinstance(c, BackupAndRestore)]
    return others, backups[0] if backups else None


class KeepsWeights(keras.callbacks.Callback):
    """Stands before a `SwapEMAWeights(swap_on_epoch=True)`, which puts averages into the model.

    At the end of training they stay there; the backup is to hold the weights all the same.
    """

    def __init__(self, backup):
        super().__init__()
        self.backup = backup

    def on_epoch_end(self, epoch, logs=None):
        """Keeps the weights."""
        self.backup.keep_weights()


def swaps_averages(callbacks):
    """Whether averages are in the model at the end of an epoch."""
    swap = keras.callbacks.SwapEMAWeights
    return any(isinstance(c, swap) and c.swap_on_epoch for c in callbacks)


class StepsMadeBefore:
    """Stands in front of a train function: of a resumed epoch, the first steps are made already.

    Args:
        model: a `GauGAN`.
        steps: how many.
        restore_metrics: gives the model the averages of the losses of these steps.
    """

    def __init__(self, model, steps, restore_metrics):
        self.model = model
        self.train_function = model.train_function
        self.steps = steps
        self.restore_metrics = restore_metrics

    def __call__(self, iterator):
        """Makes a step, or passes over one."""
        if self.steps <= 0:
            return self.train_function(iterator)
        if self.restore_metrics is not None:
            self.restore_metrics()
            self.restore_metrics = None
        self.steps -= self.model.steps_per_execution
        return self.model.get_metrics_result()
