"""What folders hold, according to the words in their names."""

import re
from dataclasses import dataclass

# Usual names of the parts of one's own data; the first ones are for training.
PARTS = ("train", "training", "val", "validation", "valid", "test", "testing")
# The first words are the most usual.
IMAGES = (
    "images image imgs img photos photo photographs photograph pictures picture pics pic rgb "
    "inputs input frames frame originals original"
).split()
LABELS = (
    "labels label masks mask annotations annotation annots annot anns ann gt groundtruths "
    "groundtruth segmentations segmentation segmaps segmap segm seg semantics semantic targets "
    "target"
).split()
INSTANCES = "instances instance inst".split()
COLORS = "color colors colour colours colored coloured rgb".split()
# Words that do not change what a folder holds.
OTHERS = (
    "png pngs jpg jpgs jpeg jpegs tif tiff bmp npy raw aug prepped bit dir dirs folder folders "
    "file files data dataset class classes map maps id ids full all left fine ground truth truths "
    "object"
).split()
WORDS = {*PARTS, *IMAGES, *LABELS, *INSTANCES, *COLORS, *OTHERS}
LONGEST_FIRST = sorted(WORDS, key=len, reverse=True)
# `JPEGImages` is "JPEG", "Images".
WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True)
class FolderName:
    """What a folder's name says.

    Args:
        kind: "image", "label" or "instance"; `None` if it does not say.
        part: the part of the data, one of `PARTS`, or "".
        rest: its unknown words, which its partner must have too.
        rank: sorts names of a kind, the most usual first.
    """

    kind: str | None
    part: str = ""
    rest: tuple = ()
    rank: tuple = ()


def read_name(name: str) -> FolderName:
    """The `FolderName` of a name.

    Example:

    >>> from keras_spade.datasets.inspection.folder_names import read_name
    >>> read_name("SegmentationClassPNG").kind, read_name("trainannot").part
    ('label', 'train')
    """
    words = [word for found in WORD.findall(name) for word in _known(found.lower())]
    part = next((word for word in words if word in PARTS), "")
    if part:
        words.remove(part)
    rest = tuple(word for word in words if word not in WORDS)
    labels = [LABELS.index(word) for word in words if word in LABELS]
    if "ground" in words and {"truth", "truths"} & {*words}:
        labels.append(LABELS.index("groundtruth"))
    images = [IMAGES.index(word) for word in words if word in IMAGES]
    instances = [INSTANCES.index(word) for word in words if word in INSTANCES]
    if labels and "object" in words:  # Pascal VOC's `SegmentationObject`.
        instances.append(len(INSTANCES))
    for kind, found in (("instance", instances), ("label", labels), ("image", images)):
        if found:
            has_colors = kind != "image" and not {*words}.isdisjoint(COLORS)
            return FolderName(kind, part, rest, (has_colors, min(found), len(words)))
    if part and not words:
        return FolderName("image", part, (), (True,))
    return FolderName(None, part)


def _known(word):
    """The known words that a word consists of; otherwise the word itself."""
    return _split(word) or [word]


def _split(letters):
    if letters in WORDS:
        return [letters]
    for word in LONGEST_FIRST:
        if letters.startswith(word) and (others := _split(letters[len(word) :])):
            return [word, *others]
    return None
