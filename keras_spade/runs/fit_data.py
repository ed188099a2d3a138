"""The arguments of `fit` that are data."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FitData:
    """What `fit` trains on; each field is the argument of its name."""

    x: Any
    y: Any
    batch_size: int | None
    shuffle: bool
    steps_per_epoch: int | None
