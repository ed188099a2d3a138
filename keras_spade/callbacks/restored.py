"""The contents of a backup besides the variables."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Restored:
    """What a backup holds besides variables; the fields with defaults are missing in old backups.

    Args:
        checksum: of its contents.
        metrics: arrays of the averages of the losses, by position.
        steps_per_epoch: of the training.
        first_epoch: the first epoch of the training.
        history: logs by name, as in `keras.callbacks.History`.
        epochs: their epochs.
        trained: the positions of the weights that are not frozen.
        classes: `ClassInfo.to_json()`.
    """

    checksum: int
    metrics: dict[str, np.ndarray]
    steps_per_epoch: int
    first_epoch: int
    history: dict[str, list]
    epochs: list[int]
    trained: list[int] | None = None
    classes: Any = None
