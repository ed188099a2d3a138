"""The commands of the pages name scripts that exist, and flags that these scripts define.

Reads the scripts by `ast`: a script has its own flags and those of the modules that it imports.
"""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = re.compile(r"^ *```sh\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`]+)`")
SCRIPT = re.compile(r"(?:-m )?(examples|benchmarks|tests/(?:processes|reference))\b[\w./]*")
# The module with the console script's flags.
PAINTER = ROOT / "keras_spade" / "painting" / "command.py"
# Programs of others, whose flags are theirs.
OTHERS = re.compile(r"\b(pytest|pip|npm|docker|fidelity|mkdocs|twine|saved_model_cli)\b|test\.py ")


def commands(text):
    """Each command of a page, on one line."""
    lines = "\n".join(SHELL.findall(text)).replace("\\\n", " ").split("\n")
    lines += [" ".join(code.split()) for code in INLINE.findall(SHELL.sub("", text))]
    return [command for line in lines for command in re.split(r"&&|;|\s#\s", line)]


def script_of(command):
    """The file that a command runs, if it is one of ours."""
    if OTHERS.search(command):
        return None
    if "keras_spade_paint" in command or "examples/paint.py" in command:
        return PAINTER
    found = SCRIPT.search(command)
    if found is None or not re.search(r"\bpython|\.py\b", command):
        return None
    name = found[0]
    if not name.startswith("-m "):
        return ROOT / name
    path = ROOT / name[3:].replace(".", "/")
    return path / "__main__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def flags_of(path):
    """The flags that a script defines, itself or in a module that it imports."""
    text = path.read_text()
    found = set(re.findall(r'(?:DEFINE_\w+\(\s*"|add_argument\(\s*"--)(\w+)"', text))
    for module in imported(ast.parse(text)):
        for folder in (ROOT, path.parent):
            file = folder / f"{module.replace('.', '/')}.py"
            if file.exists() and not module.startswith("keras_spade"):
                found |= flags_of(file)
    return found


def imported(tree):
    """The names of modules that a module may import."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_scripts_and_flags_exist(page):
    for command in commands(page.read_text()):
        script = script_of(command)
        if script is not None:
            assert script.exists(), command
            for flag in re.findall(r"(?<!\S)--(\w[\w-]*)", command):
                flag = flag.removeprefix("no-")
                known = flags_of(script) | {"help", "helpfull"}
                assert {flag, flag.removeprefix("no")} & known, f"{page}: {command}"


def test_commands_are_read():
    text = "`python examples/generate.py\n--out=a`\n```sh\npython -m benchmarks.input \\\n --b\n```"
    *_, inline = found = [command for command in commands(text) if "python" in command]
    assert [script_of(command) for command in found] == [
        ROOT / "benchmarks" / "input" / "__main__.py",
        ROOT / "examples" / "generate.py",
    ]
    assert inline == "python examples/generate.py --out=a"
    assert {"out", "void_label"} <= flags_of(ROOT / "examples" / "generate.py")
    assert "strategy" not in flags_of(ROOT / "examples" / "generate.py")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_of_the_repository_exist(page):
    folders = (ROOT, ROOT / "keras_spade", ROOT / "tests", ROOT / "keras_spade" / "backends")
    text = re.sub(r"\S*/keras-spade/keras_spade/blob/main/", " ", page.read_text())
    for name in re.findall(r"(?<![\w/.])[\w.]+/[\w./]*\.(?:py|ipynb)\b", text):
        assert any((folder / name).exists() for folder in folders), f"{page}: {name}"
