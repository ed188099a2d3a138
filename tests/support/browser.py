"""Headless Chromium, if it is installed, for tests of pages."""

import contextlib
import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)


@contextlib.contextmanager
def opened(where, width=1300, height=900, expected=()):
    """Opens a file or an address in Chromium; yields Playwright's page, which must have no errors.

    Console errors, exceptions, pictures that do not load, and requests to anything but the disk or
    the address fail the test. `expected`: texts of errors to ignore.
    """
    address = where if isinstance(where, str) else where.resolve().as_uri()
    inside = (address if isinstance(where, str) else "file:", "data:", "blob:")
    reason = "needs Chromium, and Playwright from PyPI"
    sync_api = pytest.importorskip("playwright.sync_api", reason=reason)
    if CHROMIUM is None:
        pytest.skip(reason)
    complaints = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": height})
        page.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.on(
            "request",
            lambda r: r.url.startswith(inside) or complaints.append(r.url),
        )
        page.goto(address)
        yield page
        check_pictures(page)
        assert [text for text in complaints if not any(known in text for known in expected)] == []
        browser.close()


def check_pictures(page):
    """Checks that all visible pictures have loaded; returns their sizes."""
    # Not `wait_for_function`, which pages may forbid along with `eval`.
    page.evaluate(
        "Promise.all([...document.images].filter(i => i.getAttribute('src') && !i.complete)"
        ".map(i => new Promise(done => (i.onload = i.onerror = done))))"
    )
    sizes = page.evaluate(
        "[...document.images].filter(i => i.getAttribute('src'))"
        ".map(i => [i.src, i.naturalWidth, i.naturalHeight])"
    )
    assert sizes and all(width and height for _, width, height in sizes), sizes
    return sizes
