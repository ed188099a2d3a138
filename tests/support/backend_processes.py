"""Starts `processes/train_on_backend.py`, and compares the results of two runs."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from support import jax_settings

SCRIPT = Path(__file__).parents[1] / "processes" / "train_on_backend.py"
BACKENDS = [name for name in ("tensorflow", "torch", "jax") if importlib.util.find_spec(name)]


def run(backend, folder, *flags):
    """Runs the script on a backend."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(SCRIPT.parents[2]),
        "CUDA_VISIBLE_DEVICES": "-1",
        "JAX_ENABLE_X64": "true" if "--dtype=float64" in flags else "false",
        "OMP_NUM_THREADS": "1",
        **(jax_settings.environment() if backend == "jax" else {}),
    }
    result = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), *flags],
        env=environment,
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert result.returncode == 0, result.stderr[-3000:]


def differences(one, other, prefix):
    """All differences of the arrays below a prefix, in one array; noise has separate states."""
    names = [k for k in one if k.startswith(prefix)]
    assert names and one.keys() == other.keys()
    apart = [np.ravel(np.abs(np.subtract(one[k], other[k], dtype="float64"))) for k in names]
    return np.nan_to_num(np.concatenate(apart), nan=np.inf)
