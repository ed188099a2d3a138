"""The table of a run's losses, as `keras.callbacks.CSVLogger` writes it, but always whole."""

import csv

import keras

from keras_spade import files


class LossesFile(keras.callbacks.Callback):
    """Writes all epochs of the history before every epoch and at the end.

    `CSVLogger` appends: after a kill, an epoch may be there twice, or half a row. The history goes
    on with the epochs that `BackupAndRestore` has restored, which stands before this one.

    Args:
        path: of the file.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_epoch_begin(self, epoch, logs=None):
        """Writes the epochs before this one."""
        history = self.model.history
        if not history.epoch:
            self.path.unlink(missing_ok=True)
            return
        names = sorted(history.history)
        # What earlier versions did not log is missing in the first epochs.
        columns = [
            ["NA"] * (len(history.epoch) - len(history.history[name])) + history.history[name]
            for name in names
        ]
        with files.replacing(self.path) as partial, open(partial, "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["epoch", *names])
            table.writerows(zip(history.epoch, *columns, strict=True))

    def on_train_end(self, logs=None):
        """Writes all epochs."""
        self.on_epoch_begin(None)
