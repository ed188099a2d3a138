"""JAX's persistent compilation cache: what one run has compiled, the next one loads."""

import os
import tempfile
import warnings
from pathlib import Path

import jax


def keep_programs() -> None:
    """Makes JAX store compiled programs in `~/.cache/keras_spade/jax`, or under `XDG_CACHE_HOME`.

    It respects JAX's own settings: does nothing if a folder is set (`JAX_COMPILATION_CACHE_DIR`) or
    the cache disabled (`JAX_ENABLE_COMPILATION_CACHE=false`). Programs that compile in less than
    a second are not stored (`JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS`).

    On a CPU it does nothing either. XLA rejects its own stored programs on many processors
    (jax-ml/jax#38445), and warns that those of another processor may crash.
    """
    config = jax.config
    if config.jax_compilation_cache_dir is not None or not config.jax_enable_compilation_cache:
        return
    if jax.default_backend() == "cpu":
        return
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(cache, "keras_spade", "jax")
    try:
        # Anyone who can write here can run code in later trainings.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        warnings.warn(
            f"{folder} cannot be written: {error}. Every run compiles its steps again. Set "
            "JAX_COMPILATION_CACHE_DIR to another folder, or JAX_ENABLE_COMPILATION_CACHE=false.",
            stacklevel=2,
        )
        return
    config.update("jax_compilation_cache_dir", str(folder))
