"""What the scripts share that measure pictures: which metrics, of which features."""

from _data_options import numbers
from absl import flags

import keras_spade


def define_metrics(default=None):
    """The flags that say which metrics there are."""
    flags.DEFINE_string(
        "features",
        default,
        "Weights of VGG16, 'imagenet' or a file; '' for none. Of its features are the Frechet and "
        "the kernel distance between photographs and paintings (not the FID of the literature).",
    )
    flags.DEFINE_list("feature_size", ["224", "224"], "height,width at which VGG16 sees pictures.")


def metrics():
    """The metrics that `define_metrics` asks for, none without weights."""
    if not flags.FLAGS.features:
        return []
    features = keras_spade.metrics.VGG16Features(flags.FLAGS.features, numbers("feature_size"))
    return [
        keras_spade.metrics.FrechetDistance(features),
        keras_spade.metrics.KernelDistance(features),
    ]
