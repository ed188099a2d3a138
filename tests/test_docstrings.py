"""Every docstring example runs, and every public name has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import keras_spade

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(keras_spade.__path__, "keras_spade.")
)
PUBLIC = {
    name: value
    for folder in (
        "keras_spade",
        *(f"keras_spade.{module.name}" for module in pkgutil.iter_modules(keras_spade.__path__)),
    )
    for name, value in vars(importlib.import_module(folder)).items()
    if (inspect.isclass(value) or inspect.isfunction(value))
    and value.__module__.startswith("keras_spade")
    and not name.startswith("_")
}


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in ("jax", "torch"):
            raise
        pytest.skip(f"{error.name}, the backend this module is for, is not installed")
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_names_say_what_they_take(name):
    text = inspect.getdoc(PUBLIC[name])
    assert text, name
    parameters = inspect.signature(PUBLIC[name]).parameters
    parameters = set(parameters) - {"args", "kwargs", "self", "layer"}
    arguments = text.split("Args:")[-1] if "Args:" in text else ""
    missing = [parameter for parameter in parameters if f"{parameter}:" not in arguments]
    # Layers and models may omit what Keras documents.
    assert not set(missing) - {"name", "dtype", "trainable"}, (name, missing)
