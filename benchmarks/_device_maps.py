"""Drawn scenes in the shape of COCO-Stuff, each in classes of its own."""

import numpy as np
from _data import instance_edges

from keras_spade import datasets


def draw_pool(count, size, num_classes, seed=0):
    """Draws scenes, each in classes of its own.

    The 14 classes of a scene get ids of their own for every scene, so that scenes share few label
    patterns, as photographs do: the share of distinct patterns of a batch is about that of
    COCO-Stuff.

    Args:
        count: number of scenes.
        size: `(height, width)`.
        num_classes: of which the ids are drawn; fewer than 14: several classes fall together.
        seed: of scenes and ids.

    Returns:
        A dict of `"labels"` uint16 `(N, H, W)`, `"edges"` uint8 `(N, H, W)` of 0 and 1, and
        `"image"` uint8 `(N, H, W, 3)`.
    """
    scenes = datasets.draw_scenes(count, image_size=size, seed=seed)
    rng, drawn = np.random.default_rng(seed), len(datasets.SCENE_CLASSES)
    labels = np.empty(scenes["labels"].shape, "uint16")
    for place, map_ in enumerate(scenes["labels"]):
        ids = rng.permutation(max(num_classes, drawn))[:drawn] % num_classes
        labels[place] = ids[map_]
    edges = instance_edges(scenes["instances"]).astype("uint8")
    return {"labels": labels, "edges": edges, "image": scenes["image"]}
