"""The painter's page in Chromium, with and without its server."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from support.backends import only_on
from support.browser import opened
from support.painting import (
    REACH,
    SIZE,
    huge_png,
    onnxruntime_web,
    painting_model,
    png,
    served,
)
from support.tiny_generator import TinyGenerator

from benchmarks.painting.static_host import served_folder
from keras_spade import ClassInfo
from keras_spade.painting import PaintingModel, write_site
from keras_spade.painting.page_files import page_files

pytestmark = [
    pytest.mark.slow,
    only_on("tensorflow", "browsers see no difference"),
    # From TensorFlow, tf2onnx and Keras, while the site is written.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]
HEIGHT, WIDTH = SIZE
RNG = np.random.default_rng(0)
MAPS = [np.kron(RNG.integers(0, 4, (8, 12)), np.ones((8, 8), int)) for _ in range(2)]


@pytest.fixture(scope="module")
def model():
    return painting_model()


@pytest.fixture(scope="module", params=["server", "site"])
def address(request, model, tmp_path_factory):
    """The address of the page, from a server that paints, and from one that only serves files."""
    if request.param == "server":
        with served(model, MAPS) as address:
            yield address
    else:
        folder = tmp_path_factory.mktemp("page") / "site"
        write_site(folder, model, MAPS, onnxruntime_web())
        with served_folder(folder) as address:
            yield address


def idle(page):
    page.wait_for_selector("body[data-state=idle]", timeout=60_000)


def picture_of(page):
    """The picture on the page."""
    idle(page)
    shown = page.evaluate(
        "() => { const c = document.getElementById('picture');"
        "return c.toDataURL('image/png').split(',')[1]; }"
    )
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(shown))).convert("RGB")).astype(int)


def saved(page, button="#save"):
    with page.expect_download() as download:
        page.locator(button).click()
    return Image.open(download.value.path())


def map_of(page):
    """The ids that the page saves."""
    image = saved(page)
    assert image.mode == "L" and image.size == (WIDTH, HEIGHT)
    return np.asarray(image).astype(int)


def assert_map(page, want):
    """The map is soon as expected; files are read asynchronously."""
    for _ in range(40):
        if (map_of(page) == want).all():
            return
        page.wait_for_timeout(50)
    np.testing.assert_array_equal(map_of(page), want)


def open_map(page, content, name="map.png"):
    file = {"name": name, "mimeType": "image/png", "buffer": content}
    page.locator("#file").set_input_files(file)


def message(page):
    page.wait_for_selector("#message:not([hidden])")
    text = page.locator("#message span").inner_text()
    page.locator("#message button").click()
    return text


def at(page, row, column):
    """The screen position of a pixel of the map."""
    box = page.locator("#map").bounding_box()
    return (
        box["x"] + (column + 0.5) * box["width"] / WIDTH,
        box["y"] + (row + 0.5) * box["height"] / HEIGHT,
    )


def drag(page, start, end):
    page.mouse.move(*at(page, *start))
    page.mouse.down()
    page.mouse.move(*at(page, *end), steps=5)
    page.mouse.up()


def choose(page, name, value):
    page.locator(f"input[name={name}][value='{value}']").check(force=True)


def painted(model, ids, seed=0):
    latent = np.random.default_rng(seed).standard_normal(2).astype("float32")
    return model.paint(ids, latent).astype(int)


def test_a_stroke_changes_the_picture_there_and_undo_takes_it_back(address, model):
    with opened(address) as page:
        before, ids = picture_of(page), map_of(page)
        np.testing.assert_array_equal(ids, MAPS[0])
        assert np.abs(before - painted(model, ids)).max() <= 2
        choose(page, "class", 2)
        page.locator("#size").fill("6")
        drag(page, (20, 10), (40, 10))
        after, changed = picture_of(page), map_of(page)
        stroke = np.argwhere(changed != ids)
        assert (changed[20:41, 8:12] == 2).all() and set(np.unique(changed)) <= set(range(4))
        assert stroke[:, 1].max() <= 13 and 17 <= stroke[:, 0].min() and stroke[:, 0].max() <= 43
        assert np.abs(after - painted(model, changed)).max() <= 2
        difference = np.abs(after - before).max(axis=-1)
        assert difference[20:41, 8:12].mean() > 10
        assert difference[:, 14 + REACH :].max() == 0
        page.keyboard.press("Control+z")
        np.testing.assert_array_equal(map_of(page), ids)
        np.testing.assert_array_equal(picture_of(page), before)
        page.locator("#redo").click()
        np.testing.assert_array_equal(map_of(page), changed)


def test_tools_make_what_they_should(address):
    with opened(address) as page:
        idle(page)
        page.locator("#maps .blank").click()
        want = np.full(SIZE, 3)  # The eraser leaves void.
        np.testing.assert_array_equal(map_of(page), want)
        choose(page, "tool", "rectangle")
        page.keyboard.press("2")
        drag(page, (10, 20), (30, 50))
        want[10:31, 20:51] = 1
        np.testing.assert_array_equal(map_of(page), want)
        page.keyboard.press("f")
        page.keyboard.press("1")
        page.mouse.click(*at(page, 12, 22))
        want[want == 1] = 0
        np.testing.assert_array_equal(map_of(page), want)
        page.keyboard.press("p")
        page.keyboard.press("3")
        for corner in ((40, 10), (40, 59), (59, 59), (59, 10)):
            page.mouse.click(*at(page, *corner))
        page.keyboard.press("Enter")
        got = map_of(page)
        assert (got[41:59, 11:59] == 2).all() and (got[:40] == want[:40]).all()
        assert (got[60:] == 3).all() and (got[:, 60:] == 3).all()
        page.keyboard.press("e")
        drag(page, (50, 5), (50, 90))
        assert (map_of(page)[50, 5:91] == 3).all()
        page.keyboard.down("Alt")
        page.mouse.click(*at(page, 20, 30))
        page.keyboard.up("Alt")
        assert page.locator("input[name=class]:checked").get_attribute("value") == "0"


def test_a_map_that_is_saved_and_opened_is_the_same(address, tmp_path):
    with opened(address) as page:
        idle(page)
        page.locator("#maps button").nth(2).click()
        image = saved(page)
        np.testing.assert_array_equal(np.asarray(image), MAPS[1])
        page.locator("#maps .blank").click()
        assert (map_of(page) == 3).all()
        open_map(page, png(image), "../../etc/<b>passwd</b>.png")
        assert_map(page, MAPS[1])
        picture = np.asarray(saved(page, "#save_picture").convert("RGB")).astype(int)
        np.testing.assert_array_equal(picture, picture_of(page))


def test_label_files_of_all_kinds(address, model):
    ids = np.random.default_rng(3).integers(0, 4, SIZE).astype("uint8")
    palette = Image.fromarray(ids, "P")
    palette.putpalette(RNG.integers(0, 256, 768).astype("uint8").tobytes())
    two = (ids > 1).astype("uint8")
    void = np.where(ids == 3, 255, ids).astype("uint8")
    colours = model.colors[ids]
    rgba = np.concatenate([colours, np.full((*SIZE, 1), 255, "uint8")], axis=-1)
    large = np.random.default_rng(4).integers(0, 4, (101, 77)).astype("uint8")
    rows = np.floor(np.arange(HEIGHT) * (101 / HEIGHT)).astype(int)
    columns = np.floor(np.arange(WIDTH) * (77 / WIDTH)).astype(int)
    cases = [
        (png(ids), ids),
        (png(palette), ids),
        (png(palette, bits=2), ids),
        (png(Image.fromarray(two * 255).convert("1")), two),
        (png(ids.astype("uint16")), ids),
        (png(void), ids),
        (png(colours), ids),
        (png(rgba), ids),
        (png(large), large[rows][:, columns]),
    ]
    with opened(address) as page:
        idle(page)
        for content, want in cases:
            page.locator("#maps .blank").click()
            open_map(page, content)
            assert_map(page, want)
        assert "resized from 77 x 101 to the 96 x 64 pixels" in message(page)


def test_hostile_maps_get_a_message_and_change_nothing(address, model):
    good = np.zeros(SIZE, "uint8")
    wrong_id = good.copy()
    wrong_id[7, 9] = 4
    wrong_colour = model.colors[good]
    wrong_colour[7, 9] = 1, 2, 3
    damaged = bytearray(png(np.random.default_rng(0).integers(0, 4, SIZE, "uint8")))
    damaged[80] ^= 1
    interlaced = bytearray(png(good))
    interlaced[28] = 1
    interlaced[29:33] = zlib.crc32(interlaced[12:29]).to_bytes(4, "big")
    short = bytearray(png(good))
    short[16:24] = struct.pack(">II", WIDTH, HEIGHT + 1)
    short[29:33] = zlib.crc32(short[12:29]).to_bytes(4, "big")
    cases = [
        (b"", "it is not a PNG file"),
        (b"<script>alert(1)</script>", "it is not a PNG file"),
        (huge_png(), "it has 10000 x 10000 pixels"),
        (png(wrong_id), "the pixel in row 7, column 9 has the id 4; classes are 0..3"),
        (png(wrong_colour), "row 7, column 9 has the colour #010203, which is not a class's"),
        (png(np.zeros((*SIZE, 4), "uint8")), "it has transparent pixels"),
        (png(good)[:-20], "it is truncated"),
        (bytes(damaged), "it is damaged"),
        (bytes(interlaced), "it is interlaced"),
        (bytes(short), "it holds more or fewer pixels than its header says"),
    ]
    with opened(address) as page:
        idle(page)
        for content, want in cases:
            open_map(page, content, "../../<img src=x>.png")
            assert want in message(page)
        np.testing.assert_array_equal(map_of(page), MAPS[0])
        drag(page, (20, 10), (40, 10))
        assert np.abs(picture_of(page) - painted(model, map_of(page))).max() <= 2


def test_styles(address, model):
    photograph = RNG.integers(0, 256, (72, 72, 3), "uint8")
    with opened(address, expected=["status of 400"]) as page:
        idle(page)
        page.locator("#seed_a").fill("7")
        assert np.abs(picture_of(page) - painted(model, MAPS[0], 7)).max() <= 2
        page.locator("#seed_b").fill("12")
        page.locator("#between").fill("1")
        assert np.abs(picture_of(page) - painted(model, MAPS[0], 12)).max() <= 2
        page.locator("#between").fill("0.25")
        a, b = (np.random.default_rng(seed).standard_normal(2) for seed in (7, 12))
        angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        latent = (np.sin(0.75 * angle) * a + np.sin(0.25 * angle) * b) / np.sin(angle)
        assert np.abs(picture_of(page) - model.paint(MAPS[0], latent)).max() <= 2
        file = {"name": "a.png", "mimeType": "image/png", "buffer": png(photograph)}
        page.locator("#photograph_file").set_input_files(file)
        page.wait_for_selector("#no_photograph:not([hidden])")
        want = model.paint(MAPS[0], model.style_of(png(photograph))).astype(int)
        assert np.abs(picture_of(page) - want).max() <= 2
        for content in (b"no image", huge_png(), b"0" * (2**25 + 1)):
            file = {"name": "../a.jpg", "mimeType": "image/jpeg", "buffer": content}
            page.locator("#photograph_file").set_input_files(file)
            assert "No style could be taken: the photograph" in message(page)
        page.locator("#no_photograph").click()
        assert np.abs(picture_of(page) - painted(model, MAPS[0], 7)).max() <= 2
        page.locator("#seed_a").fill("5000")
        page.locator("#seed_a").press("Enter")
        assert page.locator("#seed_a").input_value() == "999"  # The last seed.
        assert np.abs(picture_of(page) - painted(model, MAPS[0], 999)).max() <= 2


INLINE = """() => {
  const script = document.createElement("script");
  script.textContent = "window.evil = 1";
  document.body.append(script);
  return typeof window.evil;
}"""


def test_no_script_but_the_pages_own_runs(address):
    with opened(address, expected=["Content Security Policy"]) as page:
        idle(page)
        assert page.evaluate(INLINE) == "undefined"


def test_names_of_classes_are_text():
    names = ("<b>sky</b>", "<img src=x onerror='window.evil = 1'>", "</script>&amp;")
    model = painting_model(encoder=False)
    model.generator.classes = ClassInfo(names)
    with served(model) as address, opened(address) as page:
        idle(page)
        for shown in ("#classes label > span", "#background option"):
            assert page.locator(shown).all_text_contents() == [*names, "don't care"]
        assert page.evaluate("typeof window.evil") == "undefined"


def test_a_site_that_is_opened_from_the_disk_says_how(model, tmp_path):
    for path, content in page_files(model, "engine_site.js").items():
        (tmp_path / path).write_bytes(content)
    with opened(tmp_path / "index.html", expected=["paint.js", "ERR_FAILED"]) as page:
        page.locator("#status", has_text="python -m http.server").wait_for()


def test_a_tall_map_fits_into_the_window():
    model = PaintingModel(TinyGenerator(3, (128, 32, 3), latent_dim=None))
    with served(model) as address, opened(address, height=900) as page:
        idle(page)
        box = page.locator("#map").bounding_box()
        assert box["height"] <= 0.86 * 900 and abs(box["height"] / box["width"] - 4) < 0.05


@pytest.mark.parametrize("width", [1300, 390])
def test_the_page_fits(address, width, tmp_path):
    with opened(address, width=width) as page:
        idle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = [page.locator(name).bounding_box() for name in ("#map", "#picture")]
        beside = boxes[1]["x"] >= boxes[0]["x"] + boxes[0]["width"]
        below = boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
        assert (beside, below) == ((True, False) if width > 1000 else (False, True))
        unnamed = page.evaluate(
            "[...document.querySelectorAll('button, input, select, canvas')].filter(e =>"
            "!(e.ariaHidden || e.getAttribute('aria-label') || e.labels?.length"
            " || e.textContent.trim())).length"
        )
        assert unnamed == 0
