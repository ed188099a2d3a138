"""Photographs of landscapes with predicted label maps."""

import os
from typing import Any

from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.folders.paired_folders import paired_folders
from keras_spade.datasets.folders.pipeline import known_as
from keras_spade.datasets.public.coco_stuff import COCO_STUFF_NAMES
from keras_spade.datasets.public.named_dataset import NamedDataset
from keras_spade.datasets.public.public_dataset import published

COUNTINGS = {
    "landscapes": NamedDataset(
        "Flickr Landscapes and the like: photographs with predicted COCO-Stuff maps",
        "landscapes(directory)",
        "`images/`, `labels/`",
        COCO_STUFF_NAMES,
        None,
        "255, if there is any",
        "Park, Liu, Wang, Zhu: Semantic Image Synthesis with Spatially-Adaptive Normalization, "
        "CVPR 2019 (its Flickr images are not published)",
    ),
}


@published(COUNTINGS, has_instances=True)
def landscapes(
    directory: str | os.PathLike,
    image_size: tuple[int, int] = (256, 256),
    batch_size: int = 1,
    *,
    void_class: bool = True,
    **kwargs: Any,
) -> Dataset:
    """Makes a dataset of photographs with label maps predicted by a COCO-Stuff network.

    The paper made its Flickr Landscapes, which are not published, in this way: photographs in
    `images/`, and predicted maps with the same stems in `labels/`, with the ids 0..181 of
    COCO-Stuff, and 255 where there is no prediction.

    Args:
        directory: The folder that contains `images` and `labels`.
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples per batch.
        void_class: If True, pixels of 255 get the id 182; if False, they are an error. Pass the
            same `void_class` to the networks.
        **kwargs: as in `paired_folders`.

    Returns:
        A dataset of dicts as in `paired_folders`.

    Raises:
        ValueError: as in `paired_folders`.
        ValueError: when iterated, for a file that cannot be used.

    Example:

    ```python
    train = keras_spade.datasets.landscapes("flickr", load_size=286, flip=True, batch_size=4)
    ```

    Reference: Park, Liu, Wang, Zhu, "Semantic Image Synthesis with Spatially-Adaptive
    Normalization", CVPR 2019, section 4.
    """
    info = COUNTINGS["landscapes"]
    dataset = paired_folders(
        directory, info.num_classes, image_size, batch_size, void_class=void_class, **kwargs
    )
    return known_as(dataset, info)
