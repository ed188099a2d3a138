"""A run's losses in the format of `keras.callbacks.CSVLogger`, but always complete."""

import csv

import keras

from keras_spade import files


class LossesFile(keras.callbacks.Callback):
    """Writes all epochs of the history before every epoch and at the end.

    `CSVLogger` appends: after a kill, an epoch may appear twice, or half a row. The history
    continues the epochs restored by `BackupAndRestore`, which comes before this callback.

    Args:
        path: path of the file.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_epoch_begin(self, epoch, logs=None):
        """Writes the earlier epochs."""
        history = self.model.history
        if not history.epoch:
            self.path.unlink(missing_ok=True)
            return
        names = sorted(history.history)
        # Values that earlier versions did not log are missing in the first epochs.
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
