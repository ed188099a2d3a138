"""Checks of the source code: attributes are declared, backends agree, few classes."""

import ast
import importlib
import inspect
import pkgutil
import textwrap
from pathlib import Path

import keras
import pytest

import keras_spade
from keras_spade.compiled_gan import CompiledGan
from keras_spade.gan import Gan

PACKAGE = Path(keras_spade.__file__).parent
BACKENDS = ("tensorflow", "jax", "torch")
# Modules that may check which backend is in use, besides `backends/` and `segmaps/`: to report it.
ASKING = {"callbacks/run_facts.py"}
WORDS = ("backend.backend()", "config.backend()", "distribute_strategy")


def package_classes():
    """All classes of the package that the backend in use can import."""
    found = {}
    for module in pkgutil.walk_packages(keras_spade.__path__, "keras_spade."):
        other = set(BACKENDS) - {keras.backend.backend()}
        if module.name.rpartition(".")[2].split("_")[0] in other:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(value) and value.__module__.startswith("keras_spade."):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


CLASSES = package_classes()


def tree_of(cls):
    """The syntax tree of a class; `None` without source."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError):
        return None


def attributes_of_self(cls, context):
    """Names that the methods of a class read (`ast.Load`) or assign (`ast.Store`) of `self`."""
    tree = tree_of(cls)
    if tree is None:
        return set()
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        and isinstance(node.ctx, context)
    }


def defined(cls):
    """Names that a class or one of its bases defines, declares or assigns."""
    names = set()
    for base in cls.__mro__:
        names |= set(vars(base)) | set(vars(base).get("__annotations__", ()))
        names |= attributes_of_self(base, ast.Store)
    return names


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_classes_use_what_they_or_their_bases_define(name):
    cls = CLASSES[name]
    assert not attributes_of_self(cls, ast.Load) - defined(cls)


def test_a_missing_attribute_would_be_seen():
    class Mixin:
        def call(self):
            return self.here + self.missing

        here = 1

    assert attributes_of_self(Mixin, ast.Load) - defined(Mixin) == {"missing"}


def members(protocol):
    """The names that a protocol and its bases declare."""
    bases = [base for base in protocol.__mro__ if base.__module__.startswith("keras_spade")]
    names = {name for base in bases for name in (*vars(base), *base.__annotations__)}
    return {name for name in names if not name.startswith("_")}


def test_callbacks_and_runs_use_of_a_gan_what_protocols_declare():
    for room in ("callbacks", "runs"):
        for path in (PACKAGE / room).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                    owner = getattr(node.value, "id", getattr(node.value, "attr", None))
                    if owner in ("model", "_model", "_trained"):
                        assert node.attr in members(CompiledGan), f"{path}: {node.attr}"


def test_gaugan_has_what_the_protocols_declare():
    assert members(CompiledGan) > members(Gan) > {"generate", "classes"}
    missing = members(CompiledGan) - defined(keras_spade.GauGAN)
    assert missing == {"history"}  # Which Keras' callback assigns.


def methods_outside_of_classes(tree, in_class=False):
    """The functions whose first argument is `self` or `cls`, but that no class defines."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            first = [a.arg for a in (*node.args.posonlyargs, *node.args.args)][:1]
            if not in_class and first in (["self"], ["cls"]):
                yield node.lineno
            yield from methods_outside_of_classes(node)
        else:
            yield from methods_outside_of_classes(node, in_class or isinstance(node, ast.ClassDef))


def test_methods_are_defined_in_classes():
    for path in PACKAGE.rglob("*.py"):
        assert not list(methods_outside_of_classes(ast.parse(path.read_text()))), path


def test_a_method_outside_of_classes_would_be_seen():
    code = """
    class Some:
        def method(self): return lambda self: 1
        lambda_of_it = property(lambda self: 2)
    def of_some(self): pass
    def of_kind(cls, x): pass
    def function(x, self): pass
    """
    tree = ast.parse(textwrap.dedent(code))
    assert list(methods_outside_of_classes(tree)) == [3, 5, 6]


def test_gaugan_is_few_classes():
    ours = keras_spade.GauGAN.__mro__[: keras_spade.GauGAN.__mro__.index(keras.Model)]
    assert len(ours) <= 4


def signatures(backend):
    """Public functions and constants of a backend's module, with the functions' arguments."""
    tree = ast.parse((PACKAGE / "backends" / f"{backend}.py").read_text())
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = [a.arg for a in node.args.args if a.arg != "state"]
        elif isinstance(node, ast.Assign):
            found[node.targets[0].id] = None
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("keras_spade.backends"):
            other = ast.parse((PACKAGE.parent / f"{node.module.replace('.', '/')}.py").read_text())
            functions = {f.name: f for f in other.body if isinstance(f, ast.FunctionDef)}
            for alias in node.names:
                if alias.asname:
                    function = functions.get(alias.name)
                    found[alias.name] = function and [a.arg for a in function.args.args]
    return {k: v for k, v in found.items() if not k.startswith("_")}


def test_backends_define_the_same():
    contract = (PACKAGE / "backends" / "__init__.py").read_text()
    all_of_them = [signatures(backend) for backend in BACKENDS]
    shared = set.intersection(*map(set, all_of_them))
    for name in shared:
        assert all_of_them[0][name] == all_of_them[1][name] == all_of_them[2][name], name
    names = {name for name in shared if f"`{name}" in contract}
    assert shared == names and len(names) == 30
    # Everything that other subpackages use is in the contract.
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            used = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if used and node.value.id == "backend" and path.parent.name != "backends":
                assert node.attr in names, f"{path}: {node.attr}"


def test_few_ask_for_the_backend():
    asking = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(words in path.read_text() for words in WORDS)
    }
    assert {p for p in asking if not p.startswith(("backends/", "segmaps/"))} == ASKING
    assert len(ASKING) <= 3
