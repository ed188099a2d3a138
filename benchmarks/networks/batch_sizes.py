"""The batch sizes in a flag."""

import re

from absl import app

LARGEST = 2**12


def batch_sizes(text):
    """Returns the sizes in a flag: `1,4`, `1..64` (doubling), or `1..`.

    Raises:
        app.UsageError: for anything else.
    """
    if match := re.fullmatch(r"([1-9]\d*)\.\.(\d*)", text):
        first, last = int(match[1]), int(match[2] or LARGEST)
        sizes = [first]
        while 2 * sizes[-1] <= last:
            sizes.append(2 * sizes[-1])
        return sizes
    if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", text):
        raise app.UsageError(f"--batch_sizes={text}: expected 1,4 or 1..64 or 1..")
    return sorted(set(map(int, text.split(","))))
