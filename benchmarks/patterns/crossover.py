"""Where label patterns stop helping: one SPADE, with patterns and densely, for different shares.

Label maps are tiles of noise: `n` x `n` pixels of one random label each. A smaller `n` gives
a larger share of distinct patterns; `n` = 1 is pure noise. Both paths get their input precomputed
(patterns, or the one-hot map).
"""

import numpy as np

from benchmarks.harness.label_maps import distinct_shares
from benchmarks.harness.plan import Subject

SIZES = ((256, 128), (128, 256), (64, 512), (32, 1024), (16, 1024), (8, 1024))
TILES = (1, 2, 3, 5)
SUBJECTS = {
    modulation: Subject("tensorflow", "benchmarks.patterns.layers", {"modulation": modulation})
    for modulation in ("patterns", "dense")
}


def cases(classes, quick):
    """The cases, with the share of distinct patterns, for numbers of classes."""
    for size, channels in SIZES[-2:] if quick else SIZES:
        for num_classes in classes:
            for tile in TILES:
                labels = tiles(size, tile, num_classes)
                share = distinct_shares({"labels": labels}, 0)[size, size]
                about = {"map": size, "channels": channels, "classes": num_classes, "tile": tile}
                yield about | {"share": round(share, 2)}


def tiles(size, tile, num_classes):
    """A label map of random tiles."""
    count = -(-size // tile)
    labels = np.random.default_rng(0).integers(0, num_classes, (1, count, count))
    return labels.repeat(tile, 1).repeat(tile, 2)[:, :size, :size].astype("int32")
