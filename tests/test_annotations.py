"""Public functions and methods say the types of what they take and return."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Methods that Keras calls, with the arguments that it documents.
KERAS_HOOKS = {
    *("build", "call", "compute_output_shape", "compute_output_spec", "convolution_op"),
    *("get_config", "from_config", "get_compile_config", "compile_from_config"),
    *("save_own_variables", "load_own_variables"),
    *("train_step", "test_step", "predict_step"),
    *("make_train_function", "make_test_function", "make_predict_function"),
    *("set_model", "on_train_begin", "on_train_end", "on_train_batch_end"),
    *("on_epoch_begin", "on_epoch_end"),
    *("apply", "update_step", "finalize_variable_values"),
}
CALLED = {"__init__", "__call__"}


def public_functions(body):
    """The public functions in the body of a module, and methods of its public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            methods = public_functions(node.body)
            yield from (method for method in methods if method.name not in KERAS_HOOKS)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name in CALLED or not node.name.startswith("_"):
                yield node


def missing(function):
    """The arguments of a function without a type; "return" if it is what it returns."""
    arguments = [node for node in ast.walk(function.args) if isinstance(node, ast.arg)]
    names = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
    return names if function.returns or function.name == "__init__" else [*names, "return"]


def lacking(code, place):
    """A line for each public function that lacks an annotation."""
    functions = public_functions(ast.parse(code).body)
    return [
        f"{place}:{f.lineno}: {f.name}: {', '.join(missing(f))}" for f in functions if missing(f)
    ]


def test_public_functions_are_annotated():
    paths = sorted((ROOT / "keras_spade").rglob("*.py"))
    assert len(paths) > 200
    found = [line for path in paths for line in lacking(path.read_text(), path.relative_to(ROOT))]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("def f(a: int, *b: int, c: int = 1, **d: int) -> None: ...", []),
        ("def f(a, *b, c=1, **d): ...", ["x.py:1: f: a, b, c, d, return"]),
        ("def _f(a): ...", []),
        ("class _A:\n    def f(self, a): ...", []),
        ("class A:\n    def call(self, a): ...", []),
        ("class A:\n    def __init__(self, a): ...", ["x.py:2: __init__: a"]),
        ("class A:\n    @property\n    def f(self): ...", ["x.py:3: f: return"]),
    ],
)
def test_a_missing_annotation_would_be_seen(code, wanted):
    assert lacking(code, "x.py") == wanted
