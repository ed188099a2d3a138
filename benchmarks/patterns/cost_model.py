"""Multiply-adds of the generator's blocks with patterns and densely, and their speed.

For a residual block of `h x w` pixels per sample, from `C` to `C'` channels with `M = min(C, C')`
between, batch `B`, `N = B h w` pixels, `K` label channels, `H` hidden filters and 3 x 3 kernels:

    its own convolutions   N * 9 * (C M + M C') + N * C C' with a shortcut
    a SPADE, dense         N * 9 * (K H + 2 H C)
    a SPADE, patterns      ids * 9 * K H + P2 * 9 * 2 H C, and P1 * 9 * H additions

`P1` and `P2` are the distinct 3 x 3 and 5 x 5 label patterns of the batch, `ids` about `K`, twice
that with edges. The subjects are a block with patterns and densely, and parts of the former:
the convolutions alone, the products of rows alone, and the search, which blocks share.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.harness.label_maps import distinct_shares, pick_batch
from benchmarks.harness.plan import Subject
from benchmarks.harness.table import seconds_cell

BLOCKS = ((32, 16, 16), (16, 16, 16), (8, 16, 8), (4, 8, 4), (2, 4, 2), (1, 2, 1))
TWICE = 16
PARTS = ("patterns", "convolutions", "products of rows", "pattern search", "dense")
SUBJECTS = {
    part: Subject("tensorflow", "benchmarks.patterns.layers", {"part": part}) for part in PARTS
}


@dataclass(frozen=True)
class CostSettings:
    """Settings of all blocks; `num_classes` includes void."""

    num_classes: int
    label_channels: int
    batch_size: int
    hidden_filters: int = 128


def cases(samples, size, settings, base_filters, batches):
    """The blocks, with the shares of distinct patterns, means over batches."""
    shares = []
    for window in (3, 5):
        found = [
            distinct_shares(pick_batch(samples, index, settings.batch_size), 5, window)
            for index in range(batches)
        ]
        shares.append({key: float(np.mean([of[key] for of in found])) for key in found[0]})
    for scale, *factors in BLOCKS:
        rows, columns = size[0] // scale, size[1] // scale
        inputs, outputs = (factor * base_filters for factor in factors)
        p1, p2 = (round(share[rows, columns], 4) for share in shares)
        about = {"rows": rows, "columns": columns, "inputs": inputs, "outputs": outputs}
        yield about | {"P1 / N": p1, "P2 / N": p2, "blocks": 2 if scale == TWICE else 1}


def multiply_adds(case, settings):
    """The multiply-adds of a block, as a dict by part."""
    c, c_out, k = case["inputs"], case["outputs"], settings.label_channels
    h = 9 * settings.hidden_filters
    pixels = settings.batch_size * case["rows"] * case["columns"]
    middle, shortcut = min(c, c_out), c != c_out
    channels = sum(spades(case))
    ids = (settings.num_classes + 1) * (1 + (k > settings.num_classes)) + 1
    own = pixels * (9 * (c * middle + middle * c_out) + c * c_out * shortcut)
    products = case["P2 / N"] * pixels * h * 2 * channels
    by_patterns = len(spades(case)) * ids * h * k + products
    densely = pixels * h * (len(spades(case)) * k + 2 * channels)
    return {
        "patterns": own + by_patterns,
        "convolutions": own,
        "products of rows": products,
        "pattern search": 0,
        "dense": own + densely,
    }


def spades(case):
    """The channels of each SPADE of a block."""
    c, c_out = case["inputs"], case["outputs"]
    return [c, min(c, c_out)] + [c] * (c != c_out)


def sums(records):
    """A line per part: its time and multiply-adds in all blocks together."""
    for part in PARTS:
        rows = [row for row in records.rows if row.subject == part and not row.why]
        if len(rows) == len(BLOCKS):
            seconds = sum(row.columns["blocks"] * row.seconds[0] for row in rows)
            giga = sum(row.columns["blocks"] * row.flops for row in rows) / 2e9
            time = seconds_cell([seconds] * 3).partition(" [")[0]
            yield f"sum of the blocks, {part}: {time}, {giga:.2f} G multiply-adds"
