"""How a dataset was made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """The call that made a dataset.

    Args:
        function: the function that was called.
        arguments: all arguments by name, including defaults and extra keyword arguments.
    """

    function: Callable
    arguments: Mapping
