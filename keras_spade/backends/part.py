"""The part of a global batch on one replica."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """The part of the global batch on this replica.

    Args:
        total: number of samples on all replicas, an int or int32 scalar tensor.
        share: the fraction of them on this replica, a float or float64 scalar tensor.
    """

    total: Any
    share: Any
