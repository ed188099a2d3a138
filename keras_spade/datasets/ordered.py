"""Parallel work in threads, with results in order."""

from collections import deque
from itertools import islice


def in_order(pool, function, numbers, ahead=32):
    """Yields `function(number)` in the order of the numbers, at most `ahead` of them pending."""
    numbers = iter(numbers)
    waiting = deque(pool.submit(function, number) for number in islice(numbers, ahead))
    while waiting:
        result = waiting.popleft().result()
        waiting.extend(pool.submit(function, number) for number in islice(numbers, 1))
        yield result
