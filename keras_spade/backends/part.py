"""The part of a batch that is on one replica."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """The part of the global batch that is on this replica.

    Args:
        total: samples on all replicas, an int or int32 scalar tensor.
        share: this replica's share of them, a float or float64 scalar tensor.
    """

    total: Any
    share: Any
