import gc
import os
from pathlib import Path

from support import jax_settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if os.environ.get("KERAS_BACKEND") == "jax":
    os.environ |= jax_settings.environment() | os.environ

import keras
import pytest
from support.backends import BACKEND, without_gradients
from support.golden_files import is_further

# Objects from imports stay alive; collecting them repeatedly takes longer than many tests.
gc.freeze()


if BACKEND == "jax":
    import jax

if BACKEND == "torch":
    import torch

    # Two test processes with two threads each would mostly wait for each other.
    torch.set_num_threads(1)


# Tests that read files, count, or inspect the source.
ONCE = {
    "benchmarks",
    "checkpoints",
    "datasets",
    "examples",
    "test_docs.py",
    "test_docs_code.py",
    "test_docstrings.py",
    "test_files.py",
    "test_imports.py",
    "test_mirror.py",
    "test_readme.py",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Marks tests that are slow on this backend, and others by their requirements."""
    for item in items:
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if any(isinstance(name, str) and is_further(name) for name in parameters):
            item.add_marker("further")
        if any(BACKEND in mark.args for mark in item.iter_markers("slow_on")):
            item.add_marker("slow")
        if item.path.relative_to(Path(__file__).parent).parts[0] in ONCE:
            item.add_marker("once")


@pytest.fixture(autouse=True, scope="module")
def _forget_what_was_compiled():
    """JAX keeps all compiled functions: gigabytes after some hundred tests, if never cleared."""
    yield
    if BACKEND == "jax" and memory() > 4 * 2**30:
        jax.clear_caches()


def memory():
    """The memory of this process in bytes on Linux; infinity elsewhere."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("inf")
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(autouse=True)
def _seed_and_restore():
    """Seeds random weights, and restores the dtype policy."""
    keras.utils.set_random_seed(0)
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    with without_gradients():
        yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
