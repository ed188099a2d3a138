"""Environment variables for tests on JAX, where compiling takes longer than computing."""

import importlib.util
from importlib import metadata
from pathlib import Path


def environment():
    """The variables for this process, before JAX is imported, and for its subprocesses."""
    if importlib.util.find_spec("jax") is None:
        return {}
    variables = {
        # XLA compiles for each new shape, and optimises longer than these small computations take.
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "true",
        # Shares compiled functions between tests and processes.
        "JAX_COMPILATION_CACHE_DIR": str(Path(__file__).parents[2] / ".jax_cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    if metadata.version("jax").startswith("0.10."):
        # The older way to fuse loops compiles in two thirds of the time. (Unknown flags crash XLA,
        # so only for known versions.)
        variables["XLA_FLAGS"] = "--xla_cpu_use_fusion_emitters=false"
    return variables
