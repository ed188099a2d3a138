"""Measures the time from a stroke to its picture in the painter, with and without its server.

    python -m benchmarks.painting --onnxruntime_web=node_modules/onnxruntime-web/dist

Playwright opens the page in headless Chromium. A stroke is a dab of the brush at a random
position; its time is measured in the page, from the pointer event to the picture. Without
Playwright and Chromium, only the server's answers are timed.
"""

import contextlib
import importlib.util
import os
import shutil
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from absl import app, flags

from benchmarks.harness.command import machine_lines
from benchmarks.harness.table import markdown, percentiles
from benchmarks.painting.static_host import running, served_folder

FLAGS = flags.FLAGS
flags.DEFINE_string("preset", "scenes", "A preset's name or folder.")
flags.DEFINE_string("model", None, "A .keras file instead.")
flags.DEFINE_string("onnxruntime_web", None, "The folder dist of the npm package, for the site.")
flags.DEFINE_integer("strokes", 50, "Of each.", lower_bound=1)
flags.DEFINE_integer("port", 0, "Port of the server; 0: any free one.")

# Runs in the page: records the start of a stroke, and its time once the picture is there.
TIMES = """() => {
  window.times = [];
  let begin;
  document.getElementById("map").addEventListener(
    "pointerdown", () => { begin = performance.now(); }, true);
  new MutationObserver(() => window.times.push(performance.now() - begin))
    .observe(document.getElementById("took"), { childList: true });
}"""


def main(argv):
    """Measures, and prints a table."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from keras_spade.painting.load_painting_model import load_painting_model
    from keras_spade.painting.page_files import starting_maps
    from keras_spade.painting.server import make_server
    from keras_spade.painting.site import write_site

    model = load_painting_model(FLAGS.model, None if FLAGS.model else FLAGS.preset)
    maps = starting_maps(model)
    server, address = make_server(model, maps, port=FLAGS.port)
    rows = []
    with running(server.run), contextlib.closing(server):
        rows.append(row("server alone", *answers(address, model, maps)))
        if has_browser():
            rows.append(row("page with the server", *strokes(address)))
    if has_browser() and FLAGS.onnxruntime_web:
        with tempfile.TemporaryDirectory() as folder:
            site = Path(folder) / "site"
            write_site(site, model, maps, FLAGS.onnxruntime_web)
            with served_folder(site) as address:
                rows.append(row("page without a server", *strokes(address)))
    shape, weights = model.generator.image_shape, model.generator.count_params()
    print(markdown(["stroke to picture", "first, s", "median, ms", "90 %, ms"], rows), end="\n\n")
    print(f"- {model.title}: {shape[0]} x {shape[1]}, {weights:,} weights")
    print("\n".join(f"- {line}" for line in machine_lines("painting")))


def row(name, first, times):
    """A row of the table."""
    median, _, late = percentiles(times)
    return [name, f"{first:.1f}", f"{1000 * median:.0f}", f"{1000 * late:.0f}"]


def answers(address, model, maps):
    """Seconds of the first answer, and of the others, to maps with one additional dab each."""
    rng = np.random.default_rng(0)
    labels = np.array(maps[0] if maps else np.zeros(model.generator.image_shape[:2]), "<u2")
    latent = np.zeros(model.generator.latent_dim or 0, "<f4")
    times = []
    for _ in range(FLAGS.strokes + 1):
        row, column = (rng.integers(0, size - 8) for size in labels.shape)
        labels[row : row + 8, column : column + 8] = rng.integers(0, model.num_ids)
        headers = {"Content-Type": "application/octet-stream"}
        body = labels.tobytes() + latent.tobytes()
        begin = time.perf_counter()
        urllib.request.urlopen(urllib.request.Request(f"{address}paint", body, headers)).read()
        times.append(time.perf_counter() - begin)
    return times[0], times[1:]


def strokes(address):
    """Seconds until the page shows its first picture, and from dabs to pictures."""
    from playwright.sync_api import sync_playwright

    rng = np.random.default_rng(0)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        begin = time.perf_counter()
        page.goto(address)
        page.wait_for_selector("body[data-state=idle]", timeout=120_000)
        first = time.perf_counter() - begin
        page.evaluate(TIMES)
        box, entries = page.locator("#map").bounding_box(), page.locator("#classes label")
        for number in range(FLAGS.strokes):
            entries.nth(number % entries.count()).click()
            x, y = rng.uniform(0.1, 0.9, 2)
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
            page.wait_for_selector("body[data-state=idle]")
        times = [milliseconds / 1000 for milliseconds in page.evaluate("window.times")]
        browser.close()
    return first, times


def chromium():
    """The system's Chromium, or `None` for Playwright's own."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def has_browser():
    """Whether Playwright is installed."""
    return importlib.util.find_spec("playwright") is not None


if __name__ == "__main__":
    app.run(main)
