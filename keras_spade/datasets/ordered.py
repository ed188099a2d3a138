"""Parallel work in threads, with results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from itertools import islice


def in_order(pool: Executor, function: Callable, numbers: Iterable, ahead: int = 32) -> Iterator:
    """Yields `function(number)` in the order of the numbers, at most `ahead` of them pending."""
    numbers = iter(numbers)
    waiting = deque(pool.submit(function, number) for number in islice(numbers, ahead))
    while waiting:
        result = waiting.popleft().result()
        waiting.extend(pool.submit(function, number) for number in islice(numbers, 1))
        yield result
