"""ADE20K, the scene parsing benchmark."""

from keras_spade.datasets._pairing import Files, existing_directory, pair_files
from keras_spade.datasets._pipeline import folder_dataset
from keras_spade.datasets.label_mapping import LabelMapping
from keras_spade.datasets.named_dataset import NAMED_DATASETS

FOLDERS = {"train": "training", "val": "validation"}


def ade20k(
    directory,
    split="train",
    image_size=(256, 256),
    batch_size=1,
    *,
    counting="shifted",
    on_bad_file="error",
    **kwargs,
):
    """Makes a `tf.data.Dataset` of the scene parsing benchmark's ADE20K, 150 classes.

    Reads `images/{training,validation}/` and `annotations/{training,validation}/` of
    `ADEChallengeData2016`. In the files 0 means "other objects", 1..150 are the classes.

    Args:
        directory: The folder that holds `images` and `annotations`, or `ADEChallengeData2016`.
        split: "train" or "val".
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples a batch.
        counting: "shifted": classes are 0..149, void 150: for networks with `num_classes=150,
            void_class=True`. "unshifted": ids as in the files, 0..150, of which 0 is void: as the
            authors' weights were in effect trained, in 151 channels. For these take a generator of
            `num_classes=150, void_class=True` too, or `num_classes=151` without void: the channels
            are the same.
        on_bad_file: "error" or "skip", as in `paired_folders`.
        **kwargs: `load_size`, `flip`, `cache` and so on, as in `paired_folders`. The paper trains
            with `load_size=286, flip=True`.

    Returns:
        A `tf.data.Dataset` of dicts as of `paired_folders`.

    Raises:
        ValueError: if an argument is out of range, a folder is missing or empty, two files of a
            folder share a stem, or a file has no partner.
        tf.errors.InvalidArgumentError: when iterated, for a file that cannot be used.

    Example:

    ```python
    train = keras_spade.datasets.ade20k("ADEChallengeData2016", load_size=286, flip=True)
    ```

    Reference: Zhou, Zhao, Puig, Fidler, Barriuso, Torralba, "Scene Parsing through ADE20K
    Dataset", CVPR 2017.
    """
    call = (ade20k, dict(locals()))
    return scenes_dataset(call, image_size, batch_size, None, on_bad_file, kwargs)


def scenes_dataset(call, image_size, batch_size, scenes, on_bad_file, options):
    """The dataset of ADE20K, or of those of its scenes for whose name `scenes` is true."""
    directory, split, counting = (call[1][k] for k in ("directory", "split", "counting"))
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
    name = "ade20k" if scenes is None else "ade20k_outdoor"
    info = NAMED_DATASETS[name if shifted else "ade20k_unshifted"]
    mapping = LabelMapping(offset=-1, void_labels=0) if shifted else LabelMapping(void_labels=None)
    return folder_dataset(
        listing,
        info.num_classes,
        mapping,
        image_size,
        batch_size,
        void_class=shifted,
        on_bad_file=on_bad_file,
        as_stored=True,
        info=info,
        call=call,
        **options,
    )


def _scene_categories(file):
    """A dict name of an image -> name of its scene."""
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}, which names the scene of each image: {error}") from None
    parts = [line.split() for line in lines if line.strip()]
    wrong = next((number for number, part in enumerate(parts, 1) if len(part) < 2), None)
    if wrong:
        raise ValueError(f"{file}: line {wrong} must hold an image's name and a scene's")
    return {part[0]: part[1] for part in parts}
