"""Flags for metrics and their features in the scripts."""

from _data_options import numbers
from absl import flags

import keras_spade
from keras_spade import datasets


def define_metrics(default=None):
    """Defines the flags for metrics."""
    flags.DEFINE_string(
        "features",
        default,
        "Weights of VGG16, 'imagenet' or a file; '' for none. Its features give the Frechet and "
        "kernel distances between photographs and paintings (not the FID of the literature).",
    )
    flags.DEFINE_list("feature_size", ["224", "224"], "height,width of the pictures for VGG16.")


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
    features = keras_spade.metrics.VGG16Features(flags.FLAGS.features, numbers("feature_size"))
    return [
        keras_spade.metrics.FrechetDistance(features),
        keras_spade.metrics.KernelDistance(features),
    ]
