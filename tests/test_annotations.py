"""Public functions, and those that other rooms call, say the types of what they take and return."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "keras_spade"
# The namespaces whose names users import, and the modules of which they use every function.
NAMESPACES = {
    *("", "callbacks", "checkpoints", "datasets", "layers", "losses", "metrics", "models"),
    *("networks", "optimizers", "painting", "presets"),
}
MODULES = {"files", "images", "backends/tensorflow", "backends/jax", "backends/torch"}
# Methods that Keras calls, with arguments that it documents, and nobody else.
KERAS_HOOKS = {
    *("build", "call", "compute_output_shape", "compute_output_spec", "convolution_op"),
    *("get_config", "from_config", "get_compile_config", "compile_from_config"),
    *("train_step", "test_step", "predict_step"),
    *("make_train_function", "make_test_function", "make_predict_function"),
    *("set_model", "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end"),
    *("on_train_batch_end", "save_own_variables", "load_own_variables"),
    *("apply", "finalize_variable_values", "update_step"),
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def tree_of(path):
    """The syntax tree of a file, each definition with the file that it lies in."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        node.path = path
    return tree


TREES = {path: tree_of(path) for path in sorted(PACKAGE.rglob("*.py"))}


def file_of(module):
    """The file of a module of the package; `None` for another library's."""
    place = ROOT.joinpath(*module.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p in TREES), None)


def imported(tree):
    """What a file imports from the package, also within functions: `(name here, file, name)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == PACKAGE.name:
            for alias in node.names:
                yield alias.asname or alias.name, file_of(node.module), alias.name


def definitions(path, name):
    """The definitions behind a name of a file; of a name that is a module, its public functions."""
    for node in TREES[path].body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name == name:
            return [node]
    for here, other, there in imported(TREES[path]):
        if here == name and (other, there) != (path, name):
            return definitions(other, there)
    module = path.with_name(f"{name}.py")
    return public(module) if path.name == "__init__.py" and module in TREES else []


def public(path):
    """The public functions and classes that a file defines."""
    nodes = TREES[path].body
    return [n for n in nodes if isinstance(n, (*FUNCTIONS, ast.ClassDef)) and n.name[0] != "_"]


def methods(cls):
    """The public methods of a class and of its bases of the package."""
    for node in cls.body:
        if isinstance(node, FUNCTIONS):
            if node.name in ("__init__", "__call__") or node.name[0] != "_":
                yield node
        elif isinstance(node, ast.Assign):  # Of a function that lies elsewhere.
            module, _, name = ast.unparse(node.value).rpartition(".")
            found = definitions(cls.path, module or name)
            yield from (definition for definition in found if definition.name == name)
    for base in cls.bases:
        for definition in definitions(cls.path, ast.unparse(base)):
            yield from methods(definition)


def wanted():
    """The functions and methods that must be annotated."""
    found = []
    for namespace in NAMESPACES:
        path = PACKAGE / namespace / "__init__.py"
        for name, *_ in imported(TREES[path]):
            found += definitions(path, name)
    for module in MODULES:
        found += public(PACKAGE / f"{module}.py")
    for path, tree in TREES.items():
        for _, other, name in imported(tree):
            ground_floor = other.parent == PACKAGE and other.name != "__init__.py"
            if path.name != "__init__.py" and (ground_floor or other.parent != path.parent):
                found += definitions(other, name)
    for node in found:
        if isinstance(node, ast.ClassDef):
            yield from (n for n in methods(node) if n.name not in KERAS_HOOKS)
        else:
            yield node


def missing(function):
    """The arguments of a function that say no type, and `return`."""
    arguments = [n for n in ast.walk(function.args) if isinstance(n, ast.arg)]
    names = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
    returns = function.returns or function.name == "__init__"
    return names if returns else [*names, "return"]


def told(functions):
    """A line for each function that lacks an annotation."""
    return sorted(
        {
            f"{f.path.relative_to(ROOT)}:{f.lineno}: {f.name}: {', '.join(missing(f))}"
            for f in functions
            if missing(f)
        }
    )


def test_functions_that_others_call_are_annotated():
    functions = list(wanted())
    assert len(set(functions)) > 300
    assert not told(functions), "\n".join(["", *told(functions)])


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("def f(a: int, *, b: str = '') -> None: ...", []),
        ("def f(a, *b, c=1, **d) -> None: ...", ["a", "b", "c", "d"]),
        ("def f(a: int): ...", ["return"]),
        ("def __init__(self, a): ...", ["a"]),
    ],
)
def test_a_missing_annotation_would_be_seen(text, lacking):
    function = ast.parse(text).body[0]
    assert sorted(missing(function)) == lacking
    function.path = Path(__file__)
    assert told([function]) == (
        [f"tests/test_annotations.py:1: {function.name}: {', '.join(missing(function))}"]
        if lacking
        else []
    )
