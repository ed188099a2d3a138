"""Batches on their way to the workers; without the package, which imports TensorFlow."""

import numpy as np


def save_batches(path, batches):
    """Writes batches for the workers."""
    arrays = {
        f"{i}.{key}": array for i, batch in enumerate(batches) for key, array in batch.items()
    }
    np.savez(path, **arrays)


def read_batches(path):
    """Reads what `save_batches` wrote."""
    batches = {}
    with np.load(path) as file:
        for name in file.files:
            index, key = name.split(".")
            batches.setdefault(int(index), {})[key] = file[name]
    return [batches[index] for index in sorted(batches)]
