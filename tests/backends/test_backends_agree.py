"""TensorFlow, JAX and PyTorch run equal steps from equal weights and read each other's files.

Each runs in its own process, `tests/processes/train_on_backend.py`.
"""

import numpy as np
import pytest
from support.backend_processes import BACKENDS, differences, run
from support.backends import BACKEND
from support.golden_files import read_arrays

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(len(BACKENDS) < 2, reason="only one backend is installed"),
    pytest.mark.skipif(BACKEND != "tensorflow", reason="runs once, with TensorFlow's tests"),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The results of each backend, by dtype, and the folder of float32."""

    def all_backends(dtype):
        folder = tmp_path_factory.mktemp(dtype)
        for backend in BACKENDS:
            run(backend, folder, f"--dtype={dtype}")
        return folder, {backend: read_arrays(folder / f"{backend}.npz") for backend in BACKENDS}

    return {dtype: all_backends(dtype) for dtype in ("float32", "float64")}


# TensorFlow always resizes the encoder's images in float32.
PAIRS = [("torch", "jax", 1e-9), ("tensorflow", "torch", 2e-5), ("tensorflow", "jax", 2e-5)]


@pytest.mark.parametrize("one, other, limit", PAIRS)
def test_steps_agree_in_float64(runs, one, other, limit):
    if not {one, other} <= set(BACKENDS):
        pytest.skip(f"{one} and {other} are not both installed")
    arrays = runs["float64"][1]
    for prefix in ("loss1", "loss2", "loss3", "weights1", "weights3", "painted", "fit", "weights5"):
        largest = differences(arrays[one], arrays[other], prefix).max()
        print(one, other, prefix, largest)
        assert largest < limit, prefix


@pytest.mark.parametrize("other", BACKENDS[1:])
def test_steps_agree_in_float32(runs, other):
    one, other = runs["float32"][1]["tensorflow"], runs["float32"][1][other]
    for prefix in ("loss1", "loss2", "loss3"):
        largest = differences(one, other, prefix).max()
        print(prefix, largest)
        assert largest < 1e-4, prefix
    # Where a gradient is zero except for rounding, Adam turns it into a full step.
    for prefix, rate in (("weights1", 8e-4), ("weights3", 3 * 8e-4)):
        apart = differences(one, other, prefix)
        print(prefix, apart.max(), np.mean(apart > 1e-4))
        assert np.mean(apart > 1e-4) < 0.003 and apart.max() < rate


def test_files_of_one_backend_load_on_the_others(runs):
    folder, arrays = runs["float32"]
    for backend in BACKENDS:
        others = [other for other in BACKENDS if other != backend]
        run(backend, folder, "--load", *others)
        loaded = read_arrays(folder / f"{backend}_loaded.npz")
        for other in others:
            apart = np.abs(loaded[f"{other}/painted"] - arrays[other]["painted"]).max()
            print(f"{other}'s file on {backend}: pictures differ by {apart}")
            assert apart < 1e-5
            # The next step, with restored optimizers, starts with the losses of the other backend.
            assert all(np.isfinite(v) for k, v in loaded.items() if k.startswith(f"{other}/loss"))
