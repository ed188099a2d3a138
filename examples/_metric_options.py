"""Flags for metrics and their features in the scripts."""

from _data_options import numbers
from absl import flags

import keras_spade


def define_metrics(default=None):
    """Defines the flags for metrics."""
    flags.DEFINE_string(
        "features",
        default,
        "Weights of VGG16, 'imagenet' or a file; '' for none. Its features give the Frechet and "
        "kernel distances between photographs and paintings (not the FID of the literature).",
    )
    flags.DEFINE_list("feature_size", ["224", "224"], "height,width of the pictures for VGG16.")


def metrics():
    """The metrics for the flags of `define_metrics`; none without weights."""
    if not flags.FLAGS.features:
        return []
    features = keras_spade.metrics.VGG16Features(flags.FLAGS.features, numbers("feature_size"))
    return [
        keras_spade.metrics.FrechetDistance(features),
        keras_spade.metrics.KernelDistance(features),
    ]
