"""Writes docs/paper.md: where each part of the paper is, from the references in docstrings.

python docs/support/make_paper_page.py

Reads the source by `ast` and imports nothing of the package. `tests/test_docs.py` fails when the
page is out of date, and when a public name of the packages below neither has a reference nor is
listed in `OUR_OWN`.
"""

import ast
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "paper.md"
# Packages whose public names are parts of the paper, or are listed below.
ROOMS = ("callbacks", "layers", "losses", "metrics", "models", "networks", "optimizers")
# Public names of these packages that the paper does not mention.
OUR_OWN = {
    "callbacks": {
        *("BackupAndRestore", "EvaluateMetrics", "ImageGrid", "RunPage"),
        *("draw_grid", "label_colors", "plot_curves"),
    },
    "layers": {
        *("ConditioningMap", "RepeatMaps", "SmallMapConv2D"),
        *("distinct_windows", "encode_labels", "instance_edges"),
    },
    "losses": set(),
    "metrics": {"KernelDistance", "PerceptualDistance", "VGG16Features"},
    "models": set(),
    "networks": {"Conditioning", "Generator"},
    "optimizers": {"AlternatingOptimizers"},
}
# The paper's parts in its order: the name used in references, and the topic. Indented parts belong
# to the part before them, which does not list their entries again.
PARTS = (
    ("section 3", "Semantic image synthesis"),
    ("  equations 1 to 3", "SPADE: normalise, then modulate by maps of gamma and beta"),
    ("  figure 2", "SPADE"),
    ("  figure 4", "The residual block, and the generator"),
    ("  multi-modal synthesis", "An encoder, or noise, gives the style"),
    ("section 4", "Experiments"),
    ("  implementation details", "Spectral norm, learning rates, Adam"),
    ("  performance metrics", "Mean IoU, pixel accuracy, Frechet distance"),
    ("appendix A", "Additional implementation details"),
    ("  figure 10", "SPADE"),
    ("  figure 11", "The residual block"),
    ("  figure 12", "The generator"),
    ("  figure 13", "The discriminator"),
    ("  figure 14", "The encoder"),
    ("  training details", "Weights of the losses, initialization, epochs, decay"),
)
TABLES = (
    ("table 1", "Comparison with other methods", "examples.paper.table_1"),
    ("table 2", "The human study", "examples.paper.study"),
    ("table 3", "A strong baseline, and widths", "examples.paper.table_3"),
    ("table 4", "Configurations of the generator", "examples.paper.table_4"),
    ("table 5", "Losses, one by one", "examples.paper.table_5"),
    ("figure 3", "How much of the label map norms preserve", "examples.paper.washed_away"),
)
HEAD = """# The paper, section by section

Park, Liu, Wang, Zhu: [Semantic Image Synthesis with Spatially-Adaptive
Normalization](https://arxiv.org/abs/1903.07291), CVPR 2019. This page lists where the package
implements each part. `python docs/support/make_paper_page.py` generates it from the references in
docstrings.
"""
MIDDLE = """
## Commands for tables and figures

| part of the paper | what it shows | command |
|---|---|---|
"""
TAIL = """
[The paper's experiments](paper_experiments.md) describes what these commands measure. For
disagreements between paper and implementation, see
[Fidelity](fidelity.md#where-paper-and-implementation-disagree).
"""


@dataclass(frozen=True)
class Definition:
    """A class or function of the package, with the parts of the paper that its docstring names."""

    name: str
    path: Path
    sentence: str
    parts: tuple[str, ...]


def reference(docstring):
    """The paragraph `Reference: ...` of a docstring, on one line; or an empty text."""
    found = re.search(r"^\s*Reference: (.*?)(?:\n\s*\n|\Z)", docstring, re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def paper_parts(text):
    """The parts of the paper that a reference names; none if it only names other works."""
    sources = re.split(r"(?:^|; )(?=[A-Z][a-z]+(?: et al\.| and [A-Z]|, [A-Z]))", text)
    ours = " ".join(source for source in sources if source.startswith("Park"))
    ours = re.sub(r"figures (\d+) and (\d+)", r"figure \1, figure \2", ours)
    names = [part.strip() for part, _ in PARTS]
    return tuple(n for n in names if re.search(rf"{re.escape(n)}(?!\d)", ours, re.IGNORECASE))


def definitions():
    """All classes and functions at the top of the package's modules, by name."""
    found = {}
    for path in sorted((ROOT / "keras_spade").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                text = ast.get_docstring(node) or ""
                sentence = " ".join(text.split("\n\n")[0].split())
                parts = paper_parts(reference(text))
                found.setdefault(node.name, []).append(Definition(node.name, path, sentence, parts))
    return found


def public_names(room):
    """The names that a room's `__init__.py` exports."""
    tree = ast.parse((ROOT / "keras_spade" / room / "__init__.py").read_text())
    imports = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    return [alias.asname for node in imports for alias in node.names if alias.asname]


def missing():
    """Public names that are neither in the paper nor listed as our own, or both."""
    found = definitions()
    problems = []
    for room in ROOMS:
        names = public_names(room)
        for name in names:
            in_paper = any(definition.parts for definition in found[name])
            if in_paper == (name in OUR_OWN[room]):
                problems.append(f"{room}: {name}")
        problems += [f"{room}: {name} is gone" for name in OUR_OWN[room] - set(names)]
    named = {part for found in definitions().values() for d in found for part in d.parts}
    return problems + [f"no reference to {p.strip()}" for p, _ in PARTS if p.strip() not in named]


def link(name):
    """The name as a link into the API reference, if it is public there."""
    for room in ROOMS:
        if name in public_names(room):
            text = (ROOT / "docs" / "api" / f"{room}.md").read_text()
            target = re.search(rf"^::: (\S+\.{name})$", text, re.MULTILINE)[1]
            return f"[`{name}`](api/{room}.md#{target})"
    return f"`{name}`"


def page():
    """The page's text."""
    every = sorted((d for found in definitions().values() for d in found), key=lambda d: d.name)
    lines = []
    for number, (part, what) in enumerate(PARTS):
        name = part.strip()
        within = itertools.takewhile(lambda p: p[0].startswith(" "), PARTS[number + 1 :])
        inner = {p.strip() for p, _ in within} if part == name else set()
        lines += ["", f"{'##' if part == name else '###'} {name[0].upper()}{name[1:]}: {what}", ""]
        for definition in every:
            if name in definition.parts and not inner & set(definition.parts):
                file = definition.path.relative_to(ROOT).as_posix()
                lines.append(f"- {link(definition.name)}, `{file}`: {definition.sentence}")
    tables = [f"| {part.capitalize()} | {what} | `python -m {m}` |" for part, what, m in TABLES]
    return HEAD + "\n".join(lines) + "\n" + MIDDLE + "\n".join(tables) + "\n" + TAIL


if __name__ == "__main__":
    PAGE.write_text(page())
    print("\n".join(missing()))
