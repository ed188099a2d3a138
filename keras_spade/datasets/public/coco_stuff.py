"""COCO-Stuff."""

import os
from typing import Any

from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.pairing import (
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    Files,
    existing_directory,
    instance_folder_or_none,
    pair_files,
)
from keras_spade.datasets.public.layout import Layout
from keras_spade.datasets.public.named_dataset import NamedDataset, names_in
from keras_spade.datasets.public.public_dataset import public_files, published

VOID_LABEL = 255

# From COCO-Stuff's labels.txt: ids 1..182 there, 0..181 in its label maps; without colours.
COCO_STUFF_NAMES = names_in(
    """
    person | bicycle | car | motorcycle | airplane | bus | train | truck | boat | traffic light |
    fire hydrant | street sign | stop sign | parking meter | bench | bird | cat | dog | horse |
    sheep | cow | elephant | bear | zebra | giraffe | hat | backpack | umbrella | shoe | eye glasses
    | handbag | tie | suitcase | frisbee | skis | snowboard | sports ball | kite | baseball bat |
    baseball glove | skateboard | surfboard | tennis racket | bottle | plate | wine glass | cup |
    fork | knife | spoon | bowl | banana | apple | sandwich | orange | broccoli | carrot | hot dog |
    pizza | donut | cake | chair | couch | potted plant | bed | mirror | dining table | window |
    desk | toilet | door | tv | laptop | mouse | remote | keyboard | cell phone | microwave | oven |
    toaster | sink | refrigerator | blender | book | clock | vase | scissors | teddy bear | hair
    drier | toothbrush | hair brush | banner | blanket | branch | bridge | building-other | bush |
    cabinet | cage | cardboard | carpet | ceiling-other | ceiling-tile | cloth | clothes | clouds |
    counter | cupboard | curtain | desk-stuff | dirt | door-stuff | fence | floor-marble |
    floor-other | floor-stone | floor-tile | floor-wood | flower | fog | food-other | fruit |
    furniture-other | grass | gravel | ground-other | hill | house | leaves | light | mat | metal |
    mirror-stuff | moss | mountain | mud | napkin | net | paper | pavement | pillow | plant-other |
    plastic | platform | playingfield | railing | railroad | river | road | rock | roof | rug |
    salad | sand | sea | shelf | sky-other | skyscraper | snow | solid-other | stairs | stone |
    straw | structural-other | table | tent | textile-other | towel | tree | vegetable | wall-brick
    | wall-concrete | wall-other | wall-panel | wall-stone | wall-tile | wall-wood | water-other |
    waterdrops | window-blind | window-other | wood
    """
)

COUNTINGS = {
    "coco_stuff": NamedDataset(
        "COCO-Stuff",
        "coco_stuff(directory, split)",
        "`<split>_{img,label,inst}/`, or `images/<split>2017/` and `annotations/<split>2017/`",
        COCO_STUFF_NAMES,
        None,
        "255",
        "Caesar, Uijlings, Ferrari: COCO-Stuff: Thing and Stuff Classes in Context, CVPR 2018",
    ),
}


@published(
    COUNTINGS,
    [
        Layout(("annotations/train2017",)),
        Layout(("annotations/val2017",), "val"),
        Layout(("train_label",)),
        Layout(("val_label",), "val"),
    ],
    has_instances=True,
)
def coco_stuff(
    directory: str | os.PathLike,
    split: str = "train",
    image_size: tuple[int, int] = (256, 256),
    batch_size: int = 1,
    *,
    void_class: bool = True,
    instances: bool | str = "auto",
    on_bad_file: str = "error",
    **kwargs: Any,
) -> Dataset:
    """Makes a dataset of COCO-Stuff batches, with 182 classes and void.

    Reads `<split>_img/`, `<split>_label/` and `<split>_inst/`, as SPADE implementations do, or the
    archives unpacked as described on COCO-Stuff's page: `images/<split>2017/` and
    `annotations/<split>2017/`, with optional instance maps in `instances/<split>2017/`. The label
    files contain the ids 0..181, and 255 for void.

    Args:
        directory: The folder that contains these.
        split: "train" or "val".
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples per batch.
        void_class: If True, void pixels get the id 182; if False, void pixels are an error.
        instances: Whether to read instance maps; "auto" reads them if the folder exists.
        on_bad_file: "error" or "skip", as in `paired_folders`.
        **kwargs: `load_size`, `flip`, `cache` and so on, as in `paired_folders`. The paper trains
            with `load_size=286, flip=True`.

    Returns:
        A dataset of dicts as in `paired_folders`.

    Raises:
        ValueError: if an argument is out of range, a folder is missing or empty, two files in a
            folder share a stem, or a file has no partner.
        ValueError: when iterated, for a file that cannot be used.

    Example:

    ```python
    train = keras_spade.datasets.coco_stuff("coco_stuff", load_size=286, flip=True, batch_size=4)
    val = keras_spade.datasets.coco_stuff("coco_stuff", "val", shuffle=False)
    ```

    Reference: Caesar, Uijlings, Ferrari, "COCO-Stuff: Thing and Stuff Classes in Context", CVPR
    2018.
    """
    if split not in ("train", "val"):
        raise ValueError(f'split must be "train" or "val", got {split!r}')
    directory = existing_directory(directory)
    image_folder = directory / "images" / f"{split}2017"
    label_folder = directory / "annotations" / f"{split}2017"
    instance_folder = directory / "instances" / f"{split}2017"
    if not image_folder.is_dir():
        folders = (directory / f"{split}_{kind}" for kind in ("img", "label", "inst"))
        image_folder, label_folder, instance_folder = folders
    instance_folder = instance_folder_or_none(instance_folder, instances)
    listing = pair_files(
        Files("image", image_folder, suffixes=IMAGE_SUFFIXES),
        Files("label", label_folder, suffixes=LABEL_SUFFIXES),
        instance_folder and Files("instance", instance_folder),
        on_bad_file=on_bad_file,
    )
    info = COUNTINGS["coco_stuff"]
    mapping = LabelMapping(void_labels=VOID_LABEL)
    size = (image_size, batch_size)
    return public_files(info, listing, mapping, size, void_class, on_bad_file, kwargs)
