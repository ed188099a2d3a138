"""ADE20K, the scene parsing benchmark."""

import os
from collections.abc import Callable
from typing import Any

from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.pairing import Files, existing_directory, pair_files
from keras_spade.datasets.public.layout import Layout
from keras_spade.datasets.public.named_dataset import NamedDataset, colors_in, names_in
from keras_spade.datasets.public.public_dataset import public_files, published

FOLDERS = {"train": "training", "val": "validation"}

# From the scene parsing benchmark's objectInfo150.txt (the first word of each), there ids 1..150.
ADE20K_NAMES = names_in(
    """
    wall | building | sky | floor | tree | ceiling | road | bed | windowpane | grass | cabinet |
    sidewalk | person | earth | door | table | mountain | plant | curtain | chair | car | water |
    painting | sofa | shelf | house | sea | mirror | rug | field | armchair | seat | fence | desk |
    rock | wardrobe | lamp | bathtub | railing | cushion | base | box | column | signboard | chest
    of drawers | counter | sand | sink | skyscraper | fireplace | refrigerator | grandstand | path |
    stairs | runway | case | pool table | pillow | screen door | stairway | river | bridge |
    bookcase | blind | coffee table | toilet | flower | book | hill | bench | countertop | stove |
    palm | kitchen island | computer | swivel chair | boat | bar | arcade machine | hovel | bus |
    towel | light | truck | tower | chandelier | awning | streetlight | booth | television |
    airplane | dirt track | apparel | pole | land | bannister | escalator | ottoman | bottle |
    buffet | poster | stage | van | ship | fountain | conveyer belt | canopy | washer | plaything |
    swimming pool | stool | barrel | basket | waterfall | tent | bag | minibike | cradle | oven |
    ball | food | step | tank | trade name | microwave | pot | animal | bicycle | lake | dishwasher
    | screen | blanket | sculpture | hood | sconce | vase | traffic light | tray | ashcan | fan |
    pier | crt screen | plate | monitor | bulletin board | shower | radiator | glass | clock | flag
    """
)

# The colours that the benchmark uses in its own pictures (color150).
ADE20K_PALETTE = colors_in(
    """
    787878 b47878 06e6e6 503232 04c803 787850 8c8c8c cc05ff e6e6e6 04fa07 e005ff ebff07 96053d
    787846 08ff33 ff0652 8fff8c ccff04 ff3307 cc4603 0066c8 3de6fa ff0633 0b66ff ff0747 ff09e0
    0907e6 dcdcdc ff095c 7009ff 08ffd6 07ffe0 ffb806 0aff47 ff290a 07ffff e0ff08 6608ff ff3d06
    ffc207 ff7a08 00ff14 ff0829 ff0599 0633ff eb0cff a09614 00a3ff 8c8c8c fa0a0f 14ff00 1fff00
    ff1f00 ffe000 99ff00 0000ff ff4700 00ebff 00adff 1f00ff 0bc8c8 ff5200 00fff5 003dff 00ff70
    00ff85 ff0000 ffa300 ff6600 c2ff00 008fff 33ff00 0052ff 00ff29 00ffad 0a00ff adff00 00ff99
    ff5c00 ff00ff ff00f5 ff0066 ffad00 ff0014 ffb8b8 001fff 00ff3d 0047ff ff00cc 00ffc2 00ff52
    000aff 0070ff 3300ff 00c2ff 007aff 00ffa3 ff9900 00ff0a ff7000 8fff00 5200ff a3ff00 ffeb00
    08b8aa 8500ff 00ff5c b800ff ff001f 00b8ff 00d6ff ff0070 5cff00 00e0ff 70e0ff 46b8a0 a300ff
    9900ff 47ff00 ff00a3 ffcc00 ff008f 00ffeb 85ff00 ff00eb f500ff ff007a fff500 0abed4 d6ff00
    00ccff 1400ff ffff00 0099ff 0029ff 00ffcc 2900ff 29ff00 ad00ff 00f5ff 4700ff 7a00ff 00ffb8
    005cff b8ff00 0085ff ffd600 19c2c2 66ff00 5c00ff
    """
)

CITATION = (
    "Zhou, Zhao, Puig, Fidler, Barriuso, Torralba: Scene Parsing through ADE20K Dataset, CVPR 2017"
)

COUNTINGS = {
    "ade20k": NamedDataset(
        "ADE20K, scene parsing",
        "ade20k(directory, split)",
        "`images/{training,validation}/`, `annotations/{training,validation}/`",
        ADE20K_NAMES,
        ADE20K_PALETTE,
        "0 in the files; becomes 150, the classes 0..149",
        CITATION,
    ),
    "ade20k_unshifted": NamedDataset(
        "ADE20K as counted for the authors' weights",
        'ade20k(directory, split, counting="unshifted")',
        "the same",
        ("other objects", *ADE20K_NAMES),
        ((0, 0, 0), *ADE20K_PALETTE),
        "none: 0 is a class",
        CITATION,
    ),
}


@published(
    COUNTINGS,
    [
        Layout(("ADEChallengeData2016/annotations/training",)),
        Layout(("ADEChallengeData2016/annotations/validation",), "val"),
        Layout(("annotations/training",)),
        Layout(("annotations/validation",), "val"),
    ],
)
def ade20k(
    directory: str | os.PathLike,
    split: str = "train",
    image_size: tuple[int, int] = (256, 256),
    batch_size: int = 1,
    *,
    counting: str = "shifted",
    on_bad_file: str = "error",
    **kwargs: Any,
) -> Dataset:
    """Makes a dataset of ADE20K as in the scene parsing benchmark, with 150 classes.

    Reads `images/{training,validation}/` and `annotations/{training,validation}/` of
    `ADEChallengeData2016`. In the files, 0 means "other objects", and 1..150 are the classes.

    Args:
        directory: The folder that contains `images` and `annotations`, or `ADEChallengeData2016`.
        split: "train" or "val".
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples per batch.
        counting: "shifted": classes are 0..149, and void is 150, for networks with
            `num_classes=150, void_class=True`. "unshifted": ids as in the files, 0..150, where 0 is
            void: the authors' weights were in effect trained like this, with 151 channels. For
            these, use a generator with `num_classes=150, void_class=True` too, or
            `num_classes=151` without void: the channels are the same.
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
    train = keras_spade.datasets.ade20k("ADEChallengeData2016", load_size=286, flip=True)
    ```

    Reference: Zhou, Zhao, Puig, Fidler, Barriuso, Torralba, "Scene Parsing through ADE20K
    Dataset", CVPR 2017.
    """
    info = COUNTINGS["ade20k" if counting == "shifted" else "ade20k_unshifted"]
    size = (image_size, batch_size)
    return scenes_dataset(info, directory, split, size, counting, None, on_bad_file, kwargs)


def scenes_dataset(
    info: NamedDataset,
    directory: str | os.PathLike,
    split: str,
    size: tuple[tuple[int, int], int],
    counting: str,
    scenes: Callable[[str], bool] | None,
    on_bad_file: str,
    options: dict[str, Any],
) -> Dataset:
    """The dataset of ADE20K, or of the scenes for whose name `scenes` returns true.

    `size` holds the sizes of images and batch, `options` the other arguments of `folder_dataset`.
    """
    if split not in FOLDERS:
        raise ValueError(f'split must be "train" or "val", got {split!r}')
    if counting not in ("shifted", "unshifted"):
        raise ValueError(f'counting must be "shifted" or "unshifted", got {counting!r}')
    directory = existing_directory(directory)
    if (directory / "ADEChallengeData2016").is_dir():
        directory = directory / "ADEChallengeData2016"
    keep = None
    if scenes is not None:
        of_image = _scene_categories(directory / "sceneCategories.txt")
        keep = lambda name: scenes(of_image.get(name, ""))  # noqa: E731
    listing = pair_files(
        Files("image", directory / "images" / FOLDERS[split], suffixes=(".jpg",)),
        Files("label", directory / "annotations" / FOLDERS[split], suffixes=(".png",)),
        on_bad_file=on_bad_file,
        keep=keep,
    )
    shifted = counting == "shifted"
    mapping = LabelMapping(offset=-1, void_labels=0) if shifted else LabelMapping(void_labels=None)
    return public_files(info, listing, mapping, size, shifted, on_bad_file, options)


def _scene_categories(file):
    """A dict image name -> scene name."""
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}, which names the scene of each image: {error}") from None
    parts = [line.split() for line in lines if line.strip()]
    wrong = next((number for number, part in enumerate(parts, 1) if len(part) < 2), None)
    if wrong:
        raise ValueError(f"{file}: line {wrong} must contain the name of an image and of its scene")
    return {part[0]: part[1] for part in parts}
