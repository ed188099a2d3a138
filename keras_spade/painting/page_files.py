"""The files of the painter's page, for a server or a static site."""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_spade.datasets import (
    SCENE_CLASSES,
    LabelMapping,
    draw_scenes,
    label_files,
    read_label_map,
)
from keras_spade.painting.painting_model import PaintingModel

PAGE = Path(__file__).parent / "page"
SEEDS = 1000
SCENES = 9
ENGINES = ("engine_server.js", "engine_site.js")
WORKER = "worker.js"


def starting_maps(
    model: PaintingModel, folder: str | os.PathLike | None = None
) -> list[np.ndarray]:
    """Returns the label maps to start with.

    Args:
        model: a `PaintingModel`.
        folder: label files, of which the first 24 by name are used. They are read with the model's
            label mapping, if it has one; otherwise they must hold ids, as the page saves them, with
            255 for void. `None`: drawn scenes, if the model has their classes.

    Returns:
        A list of integer arrays of the model's size.

    Raises:
        ValueError: naming the file that cannot be read or holds ids that are not classes.
    """
    generator = model.generator
    size = generator.image_shape[:2]
    if folder is None:
        names = generator.classes and generator.classes.names
        if tuple(names or ()) != SCENE_CLASSES or min(size) < 32:
            return []
        # Scenes that training does not use.
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


def page_files(
    model: PaintingModel, engine: str, maps: Sequence[np.ndarray] = (), **facts: Any
) -> dict[str, bytes]:
    """Returns the page and all files that it loads, by path.

    Args:
        model: a `PaintingModel`.
        engine: the module that makes the pictures, one of `ENGINES`.
        maps: label maps to start with, see `starting_maps`.
        **facts: further facts for the page, as JSON.

    Returns:
        A dict of paths to contents. `latents.bin` holds the latents of the seeds 0..999,
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


def facts_of(model: PaintingModel) -> dict:
    """The facts about a `PaintingModel` that the page needs."""
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


def png_of_ids(ids: np.ndarray) -> bytes:
    """A label map as a grey PNG whose values are the ids."""
    kind = "uint8" if ids.max() < 256 else "uint16"
    file = io.BytesIO()
    Image.fromarray(ids.astype(kind)).save(file, "png")
    return file.getvalue()
