"""The outdoor scenes of ADE20K."""

from keras_spade.datasets._small_label_sets import OUTDOOR_SCENES
from keras_spade.datasets.ade20k import scenes_dataset


def ade20k_outdoor(
    directory,
    split="train",
    image_size=(256, 256),
    batch_size=1,
    *,
    scenes=None,
    counting="shifted",
    on_bad_file="error",
    **kwargs,
):
    """Makes a `tf.data.Dataset` of the images of `ade20k` that show outdoor scenes.

    `sceneCategories.txt`, which comes with the images, names the scene of each. The list of images
    that the paper used is not published; by default those are taken whose scene is called
    "..._outdoor" or "..._exterior", or is on this package's list of those of its 1,055 names that
    lie outdoors (`keras_spade.datasets.OUTDOOR_SCENES`).

    Args:
        directory: as in `ade20k`, with `sceneCategories.txt`.
        split: "train" or "val".
        image_size: `(height, width)` of the batches.
        batch_size: Number of samples a batch.
        scenes: names of scenes to take, in place of the default.
        counting: "shifted" or "unshifted", as in `ade20k`.
        on_bad_file: "error" or "skip", as in `paired_folders`.
        **kwargs: as in `paired_folders`.

    Returns:
        A `tf.data.Dataset` of dicts as of `paired_folders`.

    Raises:
        ValueError: as `ade20k`, or if `sceneCategories.txt` is missing or no image is of the
            scenes.
        tf.errors.InvalidArgumentError: when iterated, for a file that cannot be used.

    Example:

    ```python
    coasts = keras_spade.datasets.ade20k_outdoor("ADEChallengeData2016", scenes=["coast", "beach"])
    ```

    Reference: Qi, Chen, Jia, Koltun, "Semi-parametric Image Synthesis", CVPR 2018, which first
    used such a subset.
    """
    if isinstance(scenes, str):
        raise ValueError(f"scenes must be a sequence of names, got {scenes!r}")
    scenes = None if scenes is None else sorted(scenes)
    call = (ade20k_outdoor, dict(locals()))
    wanted = _is_outdoor if scenes is None else set(scenes).__contains__
    return scenes_dataset(call, image_size, batch_size, wanted, on_bad_file, kwargs)


def _is_outdoor(scene):
    return scene in OUTDOOR_SCENES or scene.endswith(("_outdoor", "_exterior"))
