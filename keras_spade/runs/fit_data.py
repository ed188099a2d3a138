"""The data arguments of `fit`."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FitData:
    """The training data of `fit`; each field is the argument of that name."""

    x: Any
    y: Any
    batch_size: int | None
    shuffle: bool
    steps_per_epoch: int | None
