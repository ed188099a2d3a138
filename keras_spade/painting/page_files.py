"""The files of the painter's page: what a server gives, and what a site holds."""

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

from keras_spade.datasets import (
    SCENE_CLASSES,
    LabelMapping,
    draw_scenes,
    label_files,
    read_label_map,
)

PAGE = Path(__file__).parent / "page"
SEEDS = 1000
SCENES = 9
ENGINES = ("engine_server.js", "engine_site.js")
WORKER = "worker.js"


def starting_maps(model, folder=None):
    """Label maps to begin with.

    Args:
        model: a `PaintingModel`.
        folder: label files, of which the first 24 are taken, by name; they are read as the model's
            own label files, if it knows how, or else hold ids, as the page saves them, and 255 for
            void. `None`: drawn scenes, if the classes are theirs.

    Returns:
        A list of integer arrays of the model's size.

    Raises:
        ValueError: naming the file that cannot be read or holds ids that are no classes.
    """
    generator = model.generator
    size = generator.image_shape[:2]
    if folder is None:
        names = generator.classes and generator.classes.names
        if tuple(names or ()) != SCENE_CLASSES or min(size) < 32:
            return []
        # Not of those that a training would see.
        return list(draw_scenes(SCENES, size, seed=1, first_scene=10**6)["labels"])
    count, has_void = generator.num_classes, generator.void_class
    mapping = generator.classes and generator.classes.label_mapping
    if mapping is None:
        mapping = {"void_labels": {count, max(255, count)} if has_void else None}
    mapping = LabelMapping(**mapping)
    files = list(label_files(folder).values())[:24]
    return [
        read_label_map(file, count, void_class=has_void, label_mapping=mapping, image_size=size)
        for file in files
    ]


def page_files(model, engine, maps=(), **facts) -> dict[str, bytes]:
    """The page with all that it loads, by path.

    Args:
        model: a `PaintingModel`.
        engine: which module makes the pictures, one of `ENGINES`.
        maps: label maps to begin with, see `starting_maps`.
        **facts: what else the page is told, as JSON.

    Returns:
        A dict from path to content. `latents.bin` holds those of the seeds 0..999,
        `numpy.random.default_rng(seed).standard_normal(latent_dim)`, float32.
    """
    files = {
        entry.name: entry.read_bytes()
        for entry in PAGE.iterdir()
        if entry.name not in ENGINES and (entry.name != WORKER or engine == "engine_site.js")
    }
    files["engine.js"] = (PAGE / engine).read_bytes()
    paths = [f"maps/{number:02d}.png" for number in range(1, len(maps) + 1)]
    files |= {path: png_of_ids(ids) for path, ids in zip(paths, maps, strict=True)}
    generator = model.generator
    if generator.latent_dim is not None:
        latents = [
            np.random.default_rng(seed).standard_normal(generator.latent_dim)
            for seed in range(SEEDS)
        ]
        files["latents.bin"] = np.array(latents, "<f4").tobytes()
    files["model.json"] = json.dumps(facts_of(model) | {"maps": paths} | facts).encode()
    return files


def facts_of(model) -> dict:
    """What the page must know of a `PaintingModel`."""
    generator = model.generator
    height, width, channels = generator.image_shape
    colors = ["#{:02x}{:02x}{:02x}".format(*color) for color in model.colors.tolist()]
    void = generator.num_classes if generator.void_class else None
    photograph = None
    if model.encoder is not None:
        photograph = dict(
            zip(("height", "width", "channels"), model.encoder.image_shape, strict=True)
        )
    return {
        "title": model.title,
        "height": height,
        "width": width,
        "channels": channels,
        "classes": [
            {"name": name, "color": color}
            for name, color in zip(model.class_names, colors, strict=True)
        ],
        "void": void,
        "background": 0 if void is None else void,
        "latent": generator.latent_dim,
        "edges": generator.instance_edges,
        "photograph": photograph,
    }


def png_of_ids(ids) -> bytes:
    """A label map as a grey PNG whose numbers are the ids."""
    kind = "uint8" if ids.max() < 256 else "uint16"
    file = io.BytesIO()
    Image.fromarray(ids.astype(kind)).save(file, "png")
    return file.getvalue()
