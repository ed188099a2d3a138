"""How a dataset was made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """The call that made a dataset.

    Args:
        function: that was called.
        arguments: all of them by name, defaults and further keyword arguments among them.
    """

    function: Callable
    arguments: Mapping
