import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from support.painting import SIZE, painting_model
from support.tiny_generator import TinyGenerator

from keras_spade import ClassInfo
from keras_spade.datasets import SCENE_CLASSES, SCENE_PALETTE, draw_scenes
from keras_spade.painting import PaintingModel
from keras_spade.painting.page_files import page_files, starting_maps

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def model():
    return painting_model()


@pytest.mark.parametrize("engine", ["engine_server.js", "engine_site.js"])
def test_all_that_files_name_is_there(model, engine):
    files = page_files(model, engine)
    named = set()
    for path, content in files.items():
        if path.endswith((".js", ".html")):
            named |= set(
                re.findall(r'["(](?:\./)?([\w/]+\.(?:js|css|svg|json|bin))"', content.decode())
            )
    assert {"paint.js", "engine.js", "paint.css", "icon.svg", "model.json", "latents.bin"} <= named
    assert named <= set(files)
    assert ("worker.js" in files) == (engine == "engine_site.js")


def test_what_the_page_receives(model):
    facts = json.loads(page_files(model, "engine_server.js", port=1)["model.json"])
    assert (facts["height"], facts["width"], facts["channels"]) == (*SIZE, 3)
    assert facts["classes"][1] == {"name": "class 1", "color": "#45e674"}
    assert facts["classes"][3]["name"] == "don't care" and facts["void"] == 3
    assert facts["background"] == 3 and facts["latent"] == 2 and facts["edges"] is True
    assert facts["photograph"] == {"height": 72, "width": 72, "channels": 3}
    assert facts["maps"] == [] and facts["port"] == 1


def test_seeds_are_those_of_generate(model):
    """`examples/generate.py --seed=7` paints its first picture with this latent."""
    latents = np.frombuffer(page_files(model, "engine_server.js")["latents.bin"], "<f4")
    assert latents.shape == (2000,)
    want = np.random.default_rng(7).normal(size=(5, 2))[0].astype("float32")
    np.testing.assert_array_equal(latents[14:16], want)


def test_maps_are_the_ids(model):
    ids = np.random.default_rng(0).integers(0, 4, SIZE)
    files = page_files(model, "engine_server.js", [ids, ids[::-1] * 100])
    assert json.loads(files["model.json"])["maps"] == ["maps/01.png", "maps/02.png"]
    for path, want in (("maps/01.png", ids), ("maps/02.png", ids[::-1] * 100)):
        image = Image.open(io.BytesIO(files[path]))
        np.testing.assert_array_equal(np.asarray(image), want)
        assert image.mode == ("L" if want.max() < 256 else "I;16")


def test_scenes_for_a_model_of_scenes():
    generator = TinyGenerator(14, (*SIZE, 3))
    generator.classes = ClassInfo(SCENE_CLASSES, SCENE_PALETTE)
    maps = starting_maps(PaintingModel(generator))
    assert len(maps) == 9 and maps[0].shape == SIZE
    seen = draw_scenes(9, SIZE, seed=1)["labels"]
    assert not any((a == b).all() for a in maps for b in seen)


def test_no_scenes_for_another(model):
    assert starting_maps(model) == []


def test_own_maps_are_read_as_the_model_knows(tmp_path):
    ids = np.random.default_rng(0).integers(0, 3, SIZE).astype("uint8")
    for name in range(30):
        Image.fromarray(ids + 1).save(tmp_path / f"{name:02d}.png")
    generator = TinyGenerator(3, (*SIZE, 3))
    model = PaintingModel(generator)
    with pytest.raises(ValueError, match="00.png"):
        starting_maps(model, tmp_path)
    generator.classes = ClassInfo(label_mapping={"offset": -1})
    maps = starting_maps(model, tmp_path)
    assert len(maps) == 24
    np.testing.assert_array_equal(maps[0], ids)


@pytest.mark.parametrize(("count", "void"), [(3, 255), (3, 3), (255, 255), (300, 300)])
def test_void_in_own_maps(tmp_path, count, void):
    """Void as in label files, and as saved by the page."""
    ids = np.full(SIZE, count - 1, "uint16")
    ids[8:24, 16:40] = void
    Image.fromarray(ids).save(tmp_path / "a.png")
    generator = TinyGenerator(count, (*SIZE, 3), void_class=True)
    (read,) = starting_maps(PaintingModel(generator), tmp_path)
    np.testing.assert_array_equal(read, np.where(ids == void, count, ids))
