"""Procedurally drawn landscapes: a dataset that needs no download."""

from dataclasses import replace

import numpy as np

from keras_spade.arguments import integer_at_least, positive_integer, positive_integers
from keras_spade.class_info import ClassInfo
from keras_spade.datasets.by_epoch import planned
from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.epoch_plan import EpochPlan
from keras_spade.datasets.scenes.scene_painter import paint_scene
from keras_spade.datasets.source import recorded, with_source

SCENE_CLASSES = (
    "sky",
    "cloud",
    "sun",
    "mountain",
    "hill",
    "grass",
    "water",
    "path",
    "tree",
    "trunk",
    "wall",
    "roof",
    "window",
    "door",
)
"""Class names of drawn scenes; the label id is the position."""

SCENE_PALETTE = np.array(
    [
        (135, 190, 235),
        (240, 244, 250),
        (255, 205, 60),
        (130, 120, 135),
        (95, 145, 110),
        (120, 190, 70),
        (45, 105, 185),
        (205, 170, 120),
        (30, 100, 40),
        (110, 70, 40),
        (240, 220, 180),
        (190, 60, 45),
        (90, 225, 225),
        (70, 30, 60),
    ],
    "uint8",
)
"""One natural colour (uint8 RGB) for each class in `SCENE_CLASSES`, to show label maps."""


def _check_scenes(num_scenes, image_size, seed, first_scene, style):
    """Raises a ValueError for the first bad argument; returns image_size as a tuple of ints."""
    positive_integer("`num_scenes`", num_scenes, "an int of at least 1")
    integer_at_least(0, "`seed`", seed, "an int of at least 0")
    integer_at_least(0, "`first_scene`", first_scene, "an int of at least 0")
    wanted = "a pair (height, width) of ints, each at least 32"
    size = positive_integers("`image_size`", image_size, 2, wanted, least=32)
    if style not in ("day", "varied"):
        raise ValueError(f"`style` must be 'day' or 'varied'. Got {style!r}.")
    return size


def draw_scenes(
    num_scenes: int,
    image_size: tuple[int, int] = (96, 128),
    seed: int = 0,
    first_scene: int = 0,
    style: str = "day",
) -> dict[str, np.ndarray]:
    """Draws small landscapes with their label and instance maps.

    Scene `i` depends only on `seed`, `first_scene + i`, `image_size` and `style`, so
    `draw_scenes(4)` ends with the scene of `draw_scenes(1, first_scene=3)`. The label map nearly
    determines the image: each class has its colours and texture, and shading that depends on the
    place in the region and the side of the sun (left, if no sun is drawn).

    Args:
        num_scenes: number of scenes, at least 1.
        image_size: (height, width) in pixels, each at least 32.
        seed: non-negative int; different seeds give different scenes.
        first_scene: number of the first scene. For a validation set with the same seed, use numbers
            that training does not use.
        style: `"day"` draws all scenes at a clear summer noon; `"varied"` draws the same label maps
            in other light and weather (sunset, night, clouds, fog, snow), which a style encoder can
            infer and a latent can choose.

    Returns:
        A dict of NumPy arrays: `labels` int32 (N, H, W), ids into `SCENE_CLASSES`;
        `instances` int32 (N, H, W), numbered from 1 in each scene (a tree, a house with its
        windows, a cloud, a mountain, a hill, and each of sky, grass, water and path is one
        instance); `image` uint8 (N, H, W, 3).

    Raises:
        ValueError: if an argument is out of range; the message names it.

    Example:

    >>> from keras_spade.datasets import draw_scenes
    >>> scenes = draw_scenes(2, image_size=(64, 64))
    >>> scenes["labels"].shape, scenes["image"].shape
    ((2, 64, 64), (2, 64, 64, 3))
    """
    return {
        name: array if name == "image" else array.astype("int32")
        for name, array in _draw(num_scenes, image_size, seed, first_scene, style).items()
    }


def _draw(num_scenes, image_size, seed, first_scene, style):
    """The arrays of `draw_scenes`, all of them uint8."""
    size = _check_scenes(num_scenes, image_size, seed, first_scene, style)
    labels = np.empty((num_scenes, *size), "uint8")
    instances = np.empty((num_scenes, *size), "uint8")
    images = np.empty((num_scenes, *size, 3), "uint8")
    for place in range(num_scenes):
        labels[place], instances[place], images[place] = paint_scene(
            size, int(seed), int(first_scene) + place, style == "varied"
        )
    return {"labels": labels, "instances": instances, "image": images}


@recorded
def synthetic_scenes(
    num_scenes: int = 512,
    image_size: tuple[int, int] = (96, 128),
    batch_size: int = 8,
    seed: int = 0,
    first_scene: int = 0,
    shuffle: bool = True,
    augment: bool = False,
    drop_remainder: bool = True,
    style: str = "day",
) -> Dataset:
    """Makes a dataset of drawn landscapes, for a first run without downloads.

    The scenes are those of `draw_scenes`, drawn when the function is called (a few seconds for
    512) and kept in memory, 5 bytes per pixel. Each epoch has a different order; datasets with the
    same arguments have the same epochs.

    Args:
        num_scenes: number of scenes per epoch, at least 1.
        image_size: (height, width) in pixels, each at least 32.
        batch_size: scenes per batch, at least 1.
        seed: non-negative int, for the scenes, their order and the flips.
        first_scene: number of the first scene; `synthetic_scenes(64, first_scene=512)` is a
            validation set with none of the scenes of `synthetic_scenes(512)`.
        shuffle: whether each epoch has a different order.
        augment: whether to flip labels, instances and image together, left to right, at random.
        drop_remainder: whether to omit an incomplete last batch.
        style: `"day"` or `"varied"`, as in `draw_scenes`.

    Returns:
        A `tf.data.Dataset`, or without TensorFlow a `keras.utils.PyDataset`, of batches
        `{"labels": int32 (B, H, W), "instances": int32 (B, H, W), "image": float32 (B, H, W, 3) in
        [-1, 1]}`.

    Raises:
        ValueError: if an argument is out of range, or `drop_remainder` would leave no batch; the
            message names the argument.

    Example:

    >>> from keras_spade.datasets import synthetic_scenes
    >>> batch = next(iter(synthetic_scenes(8, image_size=(32, 48), batch_size=4)))
    >>> batch["labels"].shape, batch["image"].dtype
    (TensorShape([4, 32, 48]), tf.float32)
    """
    positive_integer("`num_scenes`", num_scenes, "an int of at least 1")
    positive_integer("`batch_size`", batch_size, "an int of at least 1")
    if drop_remainder and batch_size > num_scenes:
        raise ValueError(
            "`batch_size` must be at most `num_scenes` when `drop_remainder=True`, or no batch "
            f"is left. Got batch_size={batch_size} and num_scenes={num_scenes}."
        )
    arrays = _draw(num_scenes, image_size, seed, first_scene, style)

    def read(number, draws):
        flips = augment and draws[0] < 0.5
        return [array[number][:, :: -1 if flips else 1] for array in arrays.values()]

    plan = EpochPlan(
        size=num_scenes,
        batch_size=batch_size,
        read=read,
        arrays={name: (array.dtype, array.shape[1:]) for name, array in arrays.items()},
        seed=seed,
        shuffle=shuffle,
        drop_remainder=drop_remainder,
        draws_by_place=False,
    )
    dataset = planned(plan)
    classes = ClassInfo(SCENE_CLASSES, SCENE_PALETTE)
    return with_source(dataset, replace(dataset.source, drawn_classes=classes))
