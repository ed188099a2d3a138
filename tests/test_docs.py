"""Links work, the API reference is complete, and the paper's page is up to date.

These tests only read files. test_readme.py and test_docs_code.py run the Python code of the pages.
"""

import ast
import re
import runpy
from pathlib import Path

import pytest
from support.doc_scripts import load_doc_script

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
OBJECT = re.compile(r"^::: (\S+)$", re.MULTILINE)
SNIPPET = re.compile(r'^--8<-- "(.+)"$', re.MULTILINE)


def text_of(page):
    """A page's text, including the files that it includes."""
    return SNIPPET.sub(lambda match: (ROOT / match[1]).read_text(), page.read_text())


def prose_of(page):
    """A page's text without code, where brackets are not links."""
    return CODE.sub("", text_of(page))


def anchors(page):
    """The anchors of a page, on the site and on GitHub, which build them differently."""
    found = set(OBJECT.findall(text_of(page)))
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\s-]", "", LINK.sub("]", title).replace("`", "")).strip().lower()
        github, site = plain.replace(" ", "-"), re.sub(r"[-\s]+", "-", plain)
        found |= {site} if github == site else set()
    return found


def names(module):
    """The names that `from a import b as b` makes public in a module's `__init__.py`."""
    tree = ast.parse((ROOT / module.replace(".", "/") / "__init__.py").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname: node.module for node in imports for alias in node.names if alias.asname}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_anchors_lead_somewhere(page):
    for target in LINK.findall(prose_of(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page}: {target}"
        inside = DOCS in file.parents
        assert inside or DOCS not in page.parents, f"{page}: {target} is not part of the site"
        assert not anchor or anchor in anchors(file), f"{page}: {target}: {sorted(anchors(file))}"


def test_a_link_that_leads_nowhere_would_be_seen():
    assert LINK.findall("see [data](data.md#sizes), [a](b c)") == ["data.md#sizes"]
    assert "the-datasets-by-name" not in anchors(DOCS / "data.md")
    assert "datasets-by-name" in anchors(DOCS / "data.md")


def test_readme_has_whole_addresses_on_pypi(monkeypatch):
    given = {}
    monkeypatch.setattr("setuptools.setup", lambda **arguments: given.update(arguments))
    runpy.run_path(str(ROOT / "setup.py"))
    text, source = given["long_description"], (ROOT / "README.md").read_text()
    links = LINK.findall(text)
    assert len(links) == len(LINK.findall(source)) > 20
    assert all(link.startswith("https://") for link in links)
    files = [
        link.split("/main/")[1].split("#")[0]
        for link in links
        if "/keras_spade/main/" in link or "/blob/main/" in link
    ]
    assert len(files) > 15 and all((ROOT / file).exists() for file in files)
    raw = "(https://raw.githubusercontent.com/keras-spade/keras_spade/main/docs/images/facades.jpg)"
    assert raw in text


def test_every_page_is_in_the_navigation_once():
    listed = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert sorted(listed) == sorted(pages)


def test_every_public_name_is_on_a_page_of_the_reference_once():
    documented = [
        name for page in (DOCS / "api").glob("*.md") for name in OBJECT.findall(text_of(page))
    ]
    # A function whose module has the same name is documented by its longer name.
    documented = [re.sub(r"\.(\w+)\.\1$", r".\1", name) for name in documented]
    assert len(documented) == len(set(documented))
    rooms = {name for name, source in names("keras_spade").items() if source == "keras_spade"}
    modules = {room for room in rooms if (ROOT / "keras_spade" / f"{room}.py").exists()}
    public = {f"keras_spade.{name}" for name in ("GauGAN", "ClassInfo")}
    for room in {"networks", "presets", *rooms} - modules:
        public |= {f"keras_spade.{room}.{name}" for name in names(f"keras_spade.{room}")}
    for room in modules:
        tree = ast.parse((ROOT / "keras_spade" / f"{room}.py").read_text())
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        public |= {f"keras_spade.{room}.{name}" for name in functions if name[0] != "_"}
    methods = {name for name in documented if name.startswith("keras_spade.models.")}  # GauGAN's
    assert set(documented) - methods == public


def test_the_page_of_the_paper_is_up_to_date():
    script = load_doc_script("make_paper_page")
    assert script.PAGE.read_text() == script.page(), "run python docs/support/make_paper_page.py"


def test_public_names_have_a_reference_to_the_paper_or_are_our_own():
    assert load_doc_script("make_paper_page").missing() == []


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("Park et al. 2019, section 3, equations 1 to 3; figure 10.", 3),
        ("Heusel et al. 2017, equations 1 to 3; Park et al. 2019, figures 12 and 13.", 2),
        ("Wang et al. 2018 (pix2pixHD), section 3.2.", 0),
        ("Park et al. 2019, figure 100.", 0),
    ],
)
def test_parts_of_the_paper_are_read_from_references(reference, parts):
    assert len(load_doc_script("make_paper_page").paper_parts(reference)) == parts
