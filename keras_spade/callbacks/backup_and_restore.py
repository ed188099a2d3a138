"""Backups from which a training run resumes exactly."""

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_spade.arguments import positive_integer
from keras_spade.callbacks.backup_file import as_array, read_backup, write_backup
from keras_spade.callbacks.restored import Restored
from keras_spade.class_info import ClassInfo
from keras_spade.compiled_gan import CompiledGan
from keras_spade.gan import Gan

NAME = "epoch_{:05d}_step_{:07d}.npz"
PATTERN = re.compile(r"epoch_(\d+)_step_(\d+)\.npz")


class Place(NamedTuple):
    """A position in a training run: before a step of an epoch, both counted from 0."""

    epoch: int
    step: int = 0


class BackupAndRestore(keras.callbacks.Callback):
    """Backs up everything that `GauGAN.fit` needs to resume after the process has died.

    A backup holds all weights and statistics, both optimizers (with learning rates, averages of
    weights and loss scales), the state of the noise, the running averages of the losses and their
    history, and the position in the data: epoch and step. When `fit` is called again in the same
    way, it resumes from the newest backup, even in the middle of an epoch, and ends with
    bit-identical weights if the data come in the same order again: in a fixed order, as arrays, or
    as a dataset of `keras_spade.datasets`, `datasets.by_epoch`, or one that shuffles with a seed.

    Unlike `keras.callbacks.BackupAndRestore`, it includes the second optimizer, the noise and the
    position within an epoch. A backup is first written under a temporary name, and its checksums
    are verified when it is read. If the newest is damaged, the previous one is used. With several
    workers, the first one writes and all of them read, so they must share the folder. Learning
    rates come from the backup, even if the optimizers were created with others.

    `fit` calls it last, regardless of its position in the list of callbacks.

    Args:
        backup_dir: the folder, of one training run only.
        save_freq: `"epoch"`: a backup is made at the beginning of every epoch, and when a callback
            stops training; an int `n`: also every `n` steps within an epoch.
        keep: number of backups to keep, at least 1.
        delete_checkpoint: whether to delete the backups when the training has ended. If not, the
            same command run again reports that it has ended, and one with more epochs resumes.

    Raises:
        ValueError: for bad arguments; from `fit`, if the backup belongs to another model, or was
            made in the middle of an epoch with another number of steps.
        OSError: from `fit`, if there are backups but none can be read, or if one cannot be written.
        RuntimeError: from `fit`, if weights are not finite; they are not backed up.

    Example:

    >>> from keras_spade.callbacks import BackupAndRestore
    >>> backup = BackupAndRestore("runs/street/backup", save_freq=500)
    >>> # gan.fit(data, epochs=100, callbacks=[backup])
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike,
        save_freq: str | int = "epoch",
        keep: int = 2,
        delete_checkpoint: bool = False,
    ):
        super().__init__()
        if save_freq != "epoch":
            wanted = '"epoch" or an integer of at least 1'
            save_freq = positive_integer("`save_freq`", save_freq, wanted)
        self.directory = Path(backup_dir)
        self.save_freq = save_freq
        self.keep = positive_integer("`keep`", keep, "an integer of at least 1")
        self.delete_checkpoint = delete_checkpoint
        self.restored: Restored | None = None
        self._steps_made, self._kept = 0, {}

    def set_model(self, model: CompiledGan):
        """Takes a `GauGAN`."""
        if not isinstance(model, Gan):
            raise TypeError(
                "keras_spade.callbacks.BackupAndRestore backs up a GauGAN; for another model use "
                "keras.callbacks.BackupAndRestore."
            )
        super().set_model(model)
        # On JAX, `self.model` first copies all variables back, which is too slow for every step.
        self._trained = model

    # === Reading ===

    def restore(
        self, model: CompiledGan, initial_epoch: int = 0, check: Callable | None = None
    ) -> Place:
        """Restores a model from the newest backup, if there is one; `fit` calls it.

        Args:
            model: a compiled `GauGAN`.
            initial_epoch: where training begins without a backup.
            check: called before the model is changed, with the `Place` where training resumes and
                a checksum of the backup (0 without one).

        Returns:
            The `Place` where training resumes.
        """
        place, path, arrays = self._newest(initial_epoch)
        restored = self.restored
        if check is not None:
            check(place, restored.checksum if restored else 0)
        if restored:
            _assign(model, arrays, path, restored.trained)
            model.classes = model.classes or ClassInfo.from_json(restored.classes)
        self.place, self.first_epoch = place, restored.first_epoch if restored else initial_epoch
        return place

    def _newest(self, initial_epoch):
        """Reads the newest backup; its place, path and arrays."""
        self.restored = None
        failures = []
        for place, path in reversed(self._backups()):
            try:
                self.restored, arrays = read_backup(path)
            except Exception as error:  # The type depends on the damage.
                failures.append(f"{path}: {error}")
                warnings.warn(f"The backup {path} cannot be read: {error}", stacklevel=3)
                continue
            return place, path, arrays
        if failures:
            raise OSError(
                f"None of the backups in {self.directory} can be read. To start over, move them "
                f"away. {'; '.join(failures)}"
            )
        return Place(initial_epoch), None, None

    def restore_metrics(self) -> None:
        """Restores the averages of the losses of the current epoch."""
        for index, array in self.restored.metrics.items():
            _state(self._trained)["metrics"][int(index)].assign(array)

    # === Writing ===

    def exists(self) -> bool:
        """Whether there is a backup in the folder."""
        return bool(self._backups())

    def delete(self) -> None:
        """Deletes all backups in the folder, to start over."""
        self._delete(self._backups())

    def keep_weights(self) -> None:
        """Makes the backup at the end of training hold the current weights.

        `fit` calls it before `keras.callbacks.SwapEMAWeights` replaces them by averages.
        """
        if not self.model.writes_files:
            return
        averaging = [one for one in self.model.optimizer.optimizers if one.use_ema]
        swapped = [v for one in averaging for v in one._trainable_variables]
        swapped += [v for one in averaging for v in one._model_variables_moving_average]
        ids = set(map(id, swapped))
        named = _named(_state(self.model))
        self._kept = {name: as_array(v) for name, v in named.items() if id(v) in ids}

    def on_train_begin(self, logs=None):
        """Starts counting steps."""
        self._steps_made, self._kept = 0, {}

    def on_epoch_begin(self, epoch, logs=None):
        """Backs up, after all callbacks of the end of the previous epoch."""
        self._restore_history()
        self._steps_made, self._kept = 0, {}
        if epoch != self.place.epoch or not self.restored:
            self._save(Place(epoch))

    def on_train_batch_end(self, batch, logs=None):
        """Backs up every `save_freq` steps, and when training is stopped within an epoch."""
        before, now = self.place.step, batch + 1
        self._steps_made = now
        if not before < now < self.params["steps"]:
            return
        due = self.save_freq != "epoch" and before // self.save_freq < now // self.save_freq
        if due or self._trained.stop_training:
            self._save(Place(self.place.epoch, now))

    def on_train_end(self, logs=None):
        """Backs up the final state, or deletes the backups."""
        self._restore_history()
        if 0 < self._steps_made < self.params["steps"]:
            return  # Stopped within an epoch, and already backed up.
        if self.delete_checkpoint:
            if self.model.writes_files:
                self.delete()
        elif self._steps_made:
            self._save(Place(self.place.epoch + 1), self._kept)
            self._kept = {}

    def _save(self, place, kept=()):
        self.place = place
        writes = self.model.writes_files
        # All workers read the averages, because they are sums over the workers.
        state = {k: v for k, v in _state(self.model).items() if writes or k == "metrics"}
        arrays = {}
        for name, variable in _named(state).items():
            arrays[name] = kept[name] if name in kept else as_array(variable)
            if not (np.isfinite(arrays[name]).all() or name.startswith("metrics")):
                raise RuntimeError(
                    f"{variable.path} is not finite, so no backup was made; the backups in "
                    f"{self.directory} are unchanged."
                )
        if not writes:
            return
        state = {
            "steps_per_epoch": self.params["steps"],
            "first_epoch": self.first_epoch,
            "history": self.model.history.history,
            "epochs": self.model.history.epoch,
            "trained": _trained(self.model),
            "classes": self.model.classes and self.model.classes.to_json(),
        }
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / NAME.format(*place)
        write_backup(path, state, arrays)
        self._delete(self._backups()[: -self.keep])

    def _delete(self, backups):
        for _, path in backups:
            path.unlink(missing_ok=True)
        for path in self.directory.glob(".partial_*"):
            path.unlink(missing_ok=True)

    def _backups(self):
        """`(place, path)` of every backup, the newest last."""
        files = self.directory.iterdir() if self.directory.is_dir() else ()
        found = ((PATTERN.fullmatch(path.name), path) for path in files)
        return sorted((Place(*map(int, match.groups())), path) for match, path in found if match)

    def _restore_history(self):
        """Prepends earlier epochs to the history that `fit` returns."""
        history = self.model.history
        if self.restored and not history.epoch:
            history.history = {name: list(row) for name, row in self.restored.history.items()}
            history.epoch = list(self.restored.epochs)


def _state(model):
    return model.state_variables()


def _named(groups):
    """Variables by their names in a backup."""
    return {f"{k}/{i}": v for k, group in groups.items() for i, v in enumerate(group)}


def _trained(model):
    """The positions of the weights that are not frozen."""
    return [place for place, weight in enumerate(model.weights) if weight.trainable]


def _assign(model, arrays, path, trained):
    """Assigns the variables of the model, unless one of them does not fit."""
    wanted = _named(_state(model))
    different = [
        f"{name.partition('/')[0]}/{variable.path}"
        for name, variable in wanted.items()
        if name not in arrays or tuple(variable.shape) != arrays[name].shape
    ]
    different = different or sorted(arrays.keys() - wanted.keys())
    if different:
        raise ValueError(
            f"The backup {path} belongs to another model, or to one compiled differently: "
            f"{', '.join(different[:5])}{' ...' if len(different) > 5 else ''}. Set `backup_dir` "
            "to another folder, or move the backups away."
        )
    if trained not in (None, _trained(model)):
        raise ValueError(
            f"The backup {path} belongs to a training with other frozen weights. Freeze the "
            "same weights, or set `backup_dir` to another folder."
        )
    for name, variable in wanted.items():
        variable.assign(arrays[name])
