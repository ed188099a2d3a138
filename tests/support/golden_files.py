"""Numbers of the reference implementation, for the tests."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

TESTS = Path(__file__).resolve().parents[1]
SHARED = TESTS.parents[1] / "shared"
GOLDEN = (TESTS / "golden" / "nvlabs", SHARED / "golden" / "open")


class Golden:
    """One golden file: its arrays by key, its options, and its weights by the authors' names."""

    def __init__(self, path):
        self.path = path
        with np.load(path) as arrays:
            self.keys = set(arrays.files)
        self.meta = json.loads(path.with_suffix(".json").read_text())
        self.config = self.meta["config"]

    def __getitem__(self, key):
        with np.load(self.path) as arrays:
            return arrays[key]

    def __contains__(self, key):
        return key in self.keys

    def below(self, prefix):
        """The arrays whose keys begin with a prefix, which is removed."""
        keys = sorted(key for key in self.keys if key.startswith(prefix))
        with np.load(self.path) as arrays:
            return {key[len(prefix) :]: arrays[key] for key in keys}


def read_arrays(path):
    """All arrays of an .npz file, by key; the file is closed."""
    with np.load(path) as arrays:
        return dict(arrays)


def golden_names(prefix):
    """The available golden files of one kind, including those in ../shared if it exists."""
    return sorted({path.stem for folder in GOLDEN for path in folder.glob(f"{prefix}*.npz")})


def load_golden(name):
    """Opens a golden file, or the larger one in ../shared if it exists."""
    for folder in reversed(GOLDEN):
        if (folder / f"{name}.npz").exists():
            return Golden(folder / f"{name}.npz")
    pytest.skip(f"{name} lies in ../shared/golden, which is not here")


def is_further(name):
    """Whether ../shared has a golden file of this name that is not complete in the repository."""
    own, shared = (folder / f"{name}.npz" for folder in GOLDEN)
    if not shared.exists():
        return False
    return not own.exists() or own.stat().st_size != shared.stat().st_size


def channels_last(x):
    """Converts from PyTorch's (batch, channels, height, width)."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def relative_error(got, want):
    """Largest difference, relative to the largest expected value."""
    got, want = keras.ops.convert_to_numpy(got), np.asarray(want)
    assert got.shape == want.shape, (got.shape, want.shape)
    return np.max(np.abs(got - want)) / np.max(np.abs(want))
