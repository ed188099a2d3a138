"""Batches of a pool of samples; without the package, for workers of plain PyTorch."""

import numpy as np

BATCHES = 3


def pick_batch(pool, index, batch_size):
    """The batch `index` of `batch_size` samples, as all models take it.

    Args:
        pool: what `draw_pool` returns; it is gone through again and again.
        index: number of the batch.
        batch_size: samples in it.

    Returns:
        A dict of `"labels"` int32 `(B, H, W)`, `"edges"` float32 `(B, H, W)` of 0 and 1, and
        `"image"` float32 `(B, H, W, 3)` in [-1, 1].
    """
    places = np.arange(index * batch_size, (index + 1) * batch_size) % len(pool["labels"])
    return {
        "labels": pool["labels"][places].astype("int32"),
        "edges": pool["edges"][places].astype("float32"),
        "image": pool["image"][places].astype("float32") / np.float32(127.5) - np.float32(1.0),
    }


def pick_batches(pool, batch_size):
    """The batches that a subject's steps take in turn."""
    return [pick_batch(pool, index, batch_size) for index in range(BATCHES)]
