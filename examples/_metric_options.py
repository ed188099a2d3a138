"""What the scripts share that measure pictures: which metrics, of which features."""

from absl import flags

import keras_spade


def define_metrics():
    """The flags that say which metrics there are."""
    flags.DEFINE_string(
        "features",
        None,
        "Weights of VGG16, 'imagenet' or a file: of its features are the Frechet and the kernel "
        "distance between photographs and paintings (not the FID of the literature).",
    )


def metrics():
    """The metrics that `define_metrics` asks for, none without weights."""
    if flags.FLAGS.features is None:
        return []
    features = keras_spade.metrics.VGG16Features(flags.FLAGS.features)
    return [
        keras_spade.metrics.KernelDistance(features),
        keras_spade.metrics.FrechetDistance(features),
    ]
