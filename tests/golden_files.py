"""Numbers of the reference implementation, for the tests."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared"
GOLDEN = (HERE / "golden" / "nvlabs", SHARED / "golden" / "open")


class Golden:
    """One golden file: its arrays by key, its options, and its weights by the authors' names."""

    def __init__(self, path):
        self.arrays = np.load(path, allow_pickle=False)
        self.meta = json.loads(path.with_suffix(".json").read_text())
        self.config = self.meta["config"]

    def __getitem__(self, key):
        return self.arrays[key]

    def __contains__(self, key):
        return key in self.arrays

    def below(self, prefix):
        """The arrays whose keys begin with a prefix, without it."""
        keys = [key for key in self.arrays.files if key.startswith(prefix)]
        return {key[len(prefix) :]: self.arrays[key] for key in keys}


def golden_names(prefix):
    """The golden files at hand of one kind; those of ../shared come on top where it exists."""
    return sorted({path.stem for folder in GOLDEN for path in folder.glob(f"{prefix}*.npz")})


def load_golden(name):
    """Opens a golden file, the larger one of ../shared if it exists."""
    for folder in reversed(GOLDEN):
        if (folder / f"{name}.npz").exists():
            return Golden(folder / f"{name}.npz")
    pytest.skip(f"{name} lies in ../shared/golden, which is not here")


def channels_last(x):
    """From PyTorch's (batch, channels, height, width)."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def relative_error(got, want):
    """Largest difference, relative to the largest wanted value."""
    got, want = keras.ops.convert_to_numpy(got), np.asarray(want)
    assert got.shape == want.shape, (got.shape, want.shape)
    return np.max(np.abs(got - want)) / np.max(np.abs(want))
