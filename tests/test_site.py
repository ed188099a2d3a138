"""The documentation site: built strictly, every page opened in headless Chromium."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from support.browser import check_pictures, opened

ROOT = Path(__file__).resolve().parents[1]
BESIDE_PYTHON = str(Path(sys.executable).parent)
MKDOCS = shutil.which("mkdocs", path=os.pathsep.join([BESIDE_PYTHON, os.environ["PATH"]]))
DESKTOP, PHONE = 1280, 390
LINKS = "[...document.links].map(a => a.href)"
ANCHORS = "[...document.querySelectorAll('[id]')].map(e => e.id)"
# Elements of the text that stick out of the window, unless they are in something that scrolls.
TOO_WIDE = """
[...document.querySelectorAll('article *')].filter(element => {
  if (element.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let e = element; e.tagName != 'ARTICLE'; e = e.parentElement)
    if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX)) return false;
  return true;
}).map(element => element.outerHTML.slice(0, 99))
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and does not report it."""

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder that a static host would serve, and the address where this machine does."""
    if MKDOCS is None:
        pytest.skip("needs MkDocs: pip install 'keras_spade[docs]'")
    folder = tmp_path_factory.mktemp("host") / "keras_spade"  # The path in `site_url`.
    subprocess.run(
        [MKDOCS, "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    handler = functools.partial(Quiet, directory=folder.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/keras_spade/"
        server.shutdown()


@pytest.mark.slow
def test_every_page_opens_fits_and_links_to_what_exists(site):
    folder, address = site
    pages = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    assert len(pages) > 30
    links, anchors = {}, {}
    # The next page cuts requests short; a file that is missing is an error on the console, too.
    with opened(address, width=DESKTOP, expected=("failed: ",)) as page:
        for name in [*pages, "index.html"]:
            page.set_viewport_size({"width": DESKTOP, "height": 900})
            assert page.goto(address + name).status == 200
            assert fits(page), name
            links[name], anchors[name] = page.evaluate(LINKS), page.evaluate(ANCHORS)
            if page.query_selector("img[src]"):
                check_pictures(page)
            page.set_viewport_size({"width": PHONE, "height": 900})
            assert fits(page), name
            assert page.evaluate(TOO_WIDE) == [], name
    inside = [
        (name, unquote(link.removeprefix(address)))
        for name in pages
        for link in links[name]
        if link.startswith(address)
    ]
    assert len(inside) > 1000
    for name, link in inside:
        target, anchor = urldefrag(link)
        target = target or "index.html"
        assert (folder / target).is_file(), f"{name}: {link}"
        assert not anchor or anchor in anchors[target], f"{name}: {link}"
    # A module of the same name instead of a function would show what is in it.
    names = {anchor for found in anchors.values() for anchor in found}
    assert [a for a in names if f"{a}.{a.split('.')[-1]}" in names] == []


def fits(page):
    """Whether the window need not scroll sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")
