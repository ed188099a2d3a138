"""What is known of the public datasets that can be loaded by name."""

from dataclasses import dataclass

from keras_spade.datasets._large_label_sets import ADE20K_NAMES, ADE20K_PALETTE, COCO_STUFF_NAMES
from keras_spade.datasets._small_label_sets import (
    CAMVID,
    CAMVID_GROUPS,
    CAMVID_LEADERS,
    CITYSCAPES,
    CMP_FACADES,
)


@dataclass(frozen=True)
class NamedDataset:
    """Names, colours and source of a public dataset.

    Args:
        title: what it is called.
        call: how it is loaded, after `keras_spade.datasets.`.
        layout: the folders that are read.
        class_names: names of the classes, in the order of the ids in the batches, void not counted.
        palette: uint8 `(r, g, b)` of each class as published, or `None`.
        void: what is void in the files.
        citation: the paper to cite.

    Example:

    >>> from keras_spade.datasets import NAMED_DATASETS
    >>> NAMED_DATASETS["cityscapes"].class_names[:3], NAMED_DATASETS["cityscapes"].num_classes
    (('road', 'sidewalk', 'building'), 19)
    """

    title: str
    call: str
    layout: str
    class_names: tuple
    palette: tuple | None
    void: str
    citation: str

    @property
    def num_classes(self):
        """Number of classes, void not counted."""
        return len(self.class_names)


_ADE20K = (
    "Zhou, Zhao, Puig, Fidler, Barriuso, Torralba: Scene Parsing through ADE20K Dataset, CVPR 2017"
)
_CITYSCAPES = (
    "Cordts et al.: The Cityscapes Dataset for Semantic Urban Scene Understanding, CVPR 2016"
)
_CAMVID = (
    "Brostow, Fauqueur, Cipolla: Semantic Object Classes in Video: A High-Definition Ground Truth "
    "Database, Pattern Recognition Letters 30(2), 2009"
)
_CAMVID_COLORS = {name: color for name, color, _ in CAMVID}
_TRAIN_IDS = [(name, color) for name, train_id, color in CITYSCAPES if train_id is not None]

NAMED_DATASETS = {
    "ade20k": NamedDataset(
        "ADE20K, scene parsing",
        "ade20k(directory, split)",
        "`images/{training,validation}/`, `annotations/{training,validation}/`",
        ADE20K_NAMES,
        ADE20K_PALETTE,
        "0 in the files; becomes 150, the classes 0..149",
        _ADE20K,
    ),
    "ade20k_unshifted": NamedDataset(
        "ADE20K as counted for the authors' weights",
        'ade20k(directory, split, counting="unshifted")',
        "the same",
        ("other objects", *ADE20K_NAMES),
        ((0, 0, 0), *ADE20K_PALETTE),
        "none: 0 is a class",
        _ADE20K,
    ),
    "ade20k_outdoor": NamedDataset(
        "ADE20K, outdoor scenes",
        "ade20k_outdoor(directory, split)",
        "the same, and `sceneCategories.txt`",
        ADE20K_NAMES,
        ADE20K_PALETTE,
        "as `ade20k`",
        _ADE20K,
    ),
    "camvid": NamedDataset(
        "CamVid, 11 classes",
        "camvid(directory, split)",
        '`<split>/{images,labels}/`, or `<split>/` and `<split>annot/`, or (split "all") '
        "`701_StillsRaw_full/` and `LabeledApproved_full/`",
        CAMVID_GROUPS,
        tuple(_CAMVID_COLORS[name] for name in CAMVID_LEADERS),
        "11 in files of ids, black in those of colours",
        _CAMVID,
    ),
    "camvid_31": NamedDataset(
        "CamVid, all classes",
        'camvid(directory, "all", num_classes=31)',
        "`701_StillsRaw_full/` and `LabeledApproved_full/`",
        tuple(name for name, _, _ in CAMVID),
        tuple(color for _, color, _ in CAMVID),
        "black",
        _CAMVID,
    ),
    "cityscapes": NamedDataset(
        "Cityscapes, train ids",
        "cityscapes(directory, split)",
        "`leftImg8bit/<split>/<city>/`, `gtFine/<split>/<city>/`",
        tuple(name for name, _ in _TRAIN_IDS),
        tuple(color for _, color in _TRAIN_IDS),
        "all ids that have no train id",
        _CITYSCAPES,
    ),
    "cityscapes_label_ids": NamedDataset(
        "Cityscapes, label ids",
        'cityscapes(directory, split, labels="labelIds")',
        "the same",
        tuple(name for name, _, _ in CITYSCAPES),
        tuple(color for _, _, color in CITYSCAPES),
        "none: 0, unlabeled, is a class",
        _CITYSCAPES,
    ),
    "cmp_facades": NamedDataset(
        "CMP Facades",
        "cmp_facades(directory, split)",
        "`base/`, `extended/`: `.jpg` and `.png` of the same stem",
        tuple(name for name, _ in CMP_FACADES),
        tuple(color for _, color in CMP_FACADES),
        "0 in the files, not labelled; the classes are counted from 1",
        "Tylecek, Sara: Spatial Pattern Templates for Recognition of Objects with Regular "
        "Structure, GCPR 2013",
    ),
    "coco_stuff": NamedDataset(
        "COCO-Stuff",
        "coco_stuff(directory, split)",
        "`<split>_{img,label,inst}/`, or `images/<split>2017/` and `annotations/<split>2017/`",
        COCO_STUFF_NAMES,
        None,
        "255",
        "Caesar, Uijlings, Ferrari: COCO-Stuff: Thing and Stuff Classes in Context, CVPR 2018",
    ),
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
"""The public datasets by name; `ade20k_unshifted` and the like are other countings of one."""
