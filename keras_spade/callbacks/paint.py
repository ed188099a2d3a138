"""Painting batches in callbacks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_spade.arguments import samples_by_name
from keras_spade.datasets.by_epoch import one_epoch
from keras_spade.datasets.source import source_or_none
from keras_spade.gan import Gan
from keras_spade.images import resize_maps, resize_photographs
from keras_spade.tensor import Tensor


@dataclass(frozen=True)
class Painted:
    """A painted batch, with all arrays at the generator's image size.

    Args:
        labels: integer ids `(batch, H, W)`, or a float map `(batch, H, W, k)`.
        images: the painted pictures, uint8 `(batch, H, W, channels)`.
        real: the photographs, uint8 or floats in [-1, 1], or `None`.
    """

    labels: np.ndarray
    images: np.ndarray
    real: np.ndarray | None


def paint(model: Gan, batch: dict, use_style: bool = False, **arguments: Any) -> Painted:
    """Paints a batch.

    Args:
        model: a `GauGAN`.
        batch: dict with `"labels"` (or `"segmap"`), `"instances"` if the generator has
            `instance_edges`, and optionally `"image"`; arrays or tensors, of any size.
        use_style: with an encoder, use the style of each sample's own photograph.
        **arguments: of `generate`: `seed`, `latent`.
    """
    labels, real = np.asarray(map_of(batch)), batch.get("image")
    edges = model.generator.instance_edges
    instances = batch.get("instances") if edges else None
    style = real if use_style and model.encoder is not None else None
    images = model.generate(labels, instances=instances, style_image=style, **arguments)
    size = images.shape[1:3]
    if labels.shape[1:3] != size:
        labels = resize_maps(labels, *size)
    if real is not None:
        real = np.asarray(real)
        real = real if real.shape[1:3] == size else resize_photographs(real, *size)
    return Painted(labels, images, real)


def palette_of(model: Gan) -> np.ndarray | None:
    """The colours in a model's `classes`, or `None`."""
    return model.classes and model.classes.palette


def check_keys(batch: dict) -> None:
    """Raises if a batch lacks the label map or the photographs."""
    if map_of(batch) is None or batch.get("image") is None:
        raise ValueError(
            f"`batch` must have the keys 'labels' (or 'segmap') and 'image', got {list(batch)}."
        )


def map_of(batch: dict) -> Tensor | None:
    """The label map of a batch, `None` without one."""
    return batch.get("labels", batch.get("segmap"))


def batches_of(data: Any, batch_size: int = 8) -> Iterator[dict]:
    """The batches of validation data; for datasets of this package, of the first epoch.

    Args:
        data: a `tf.data.Dataset`, `keras.utils.PyDataset`, PyTorch's `DataLoader` or a list of
            batches, each in a form that `fit` accepts; or a dict of arrays, or `(labels, image)`,
            of all samples.
        batch_size: for arrays.
    """
    data = one_epoch(data)
    if isinstance(data, (dict, tuple)):
        whole = _as_dict(data)
        for start in range(0, len(map_of(whole)), batch_size):
            yield {key: array[start : start + batch_size] for key, array in whole.items()}
        return
    if isinstance(data, keras.utils.PyDataset) and source_or_none(data) is None:
        data = (data[number] for number in range(data.num_batches))
    yield from map(_as_dict, data)


def refuse_weights(data: Any) -> None:
    """Raises if data contain weights of samples: a tuple of three, or a dataset of these."""
    data = getattr(data, "element_spec", data)
    if isinstance(data, tuple) and len(data) == 3 and data[2] is not None:
        raise ValueError(
            "`data` holds (x, y, sample_weight), but all samples count the same. Omit the weights."
        )


def _as_dict(batch):
    refuse_weights(batch)
    x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
    return samples_by_name(x, y)
