"""Where JAX stores compiled programs."""

from types import SimpleNamespace

import pytest
from support.backends import only_on
from support.tiny_gan import tiny_gan

from keras_spade.backends import backend

pytestmark = only_on("jax", "its compilation cache")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """The folder of the cache, as if on a GPU and with JAX's settings untouched."""
    import jax

    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield tmp_path / "keras_spade" / "jax"
    jax.config.update("jax_compilation_cache_dir", before)


def folder_after_compiling(**settings):
    """JAX's folder after the loop of a model got its functions."""
    import jax

    model = SimpleNamespace(**{"jit_compile": True, "run_eagerly": False, **settings})
    backend.guarded(model, None, None)
    return jax.config.jax_compilation_cache_dir


def test_training_stores_programs_in_the_users_cache(cache):
    import jax

    tiny_gan().make_train_function()
    assert jax.config.jax_compilation_cache_dir == str(cache)
    assert cache.stat().st_mode & 0o777 == 0o700


def test_painting_stores_programs_too(cache):
    import jax

    backend.inference(SimpleNamespace(jit_compile=True, run_eagerly=False), None, [])
    assert jax.config.jax_compilation_cache_dir == str(cache)


def test_home_is_the_default(cache, monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder_after_compiling() == f"{tmp_path}/.cache/keras_spade/jax"


def test_what_the_user_has_set_stays(cache, monkeypatch, tmp_path):
    import jax

    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    assert folder_after_compiling() == str(tmp_path)
    jax.config.update("jax_compilation_cache_dir", None)
    jax.config.update("jax_enable_compilation_cache", False)
    try:
        assert folder_after_compiling() is None
    finally:
        jax.config.update("jax_enable_compilation_cache", True)
    assert not cache.exists()


def test_nothing_is_stored_on_a_cpu_or_by_steps_that_are_not_compiled(cache, monkeypatch):
    import jax

    assert folder_after_compiling(run_eagerly=True) is None
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    assert folder_after_compiling() is None
    assert not cache.exists()


def test_a_folder_that_cannot_be_written(cache):
    cache.parent.write_text("a file")
    with pytest.warns(UserWarning, match="jax cannot be written: .* compiles its steps again"):
        assert folder_after_compiling() is None
