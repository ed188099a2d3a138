"""The perceptual distance of two pictures, computed with a VGG."""

import os
from collections.abc import Mapping

import keras
from keras import ops

from keras_spade.losses.perceptual_network import PerceptualNetwork
from keras_spade.metrics.byte_images import byte_images
from keras_spade.metrics.host_metric import weights_in_words
from keras_spade.tensor import Tensor

TAPS = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")


@keras.saving.register_keras_serializable(package="keras_spade")
class PerceptualDistance:
    """Squared distance of VGG16 features of two images, normalised at each position.

    `sum over layers of mean over positions of |f(first) / |f(first)| - f(second) / |f(second)||^2`,
    at relu1_2, relu2_2, relu3_3, relu4_3 and relu5_3; norms are over channels. Each layer
    contributes 0 to 2.

    This is equation 1 of the LPIPS paper with all learned weights equal to 1. Its values are
    **not** those of LPIPS in the literature, whose weights this package does not include.

    Args:
        weights: as in `VGG16Features`.

    Call arguments:
        first: uint8 `(batch, H, W, 3)`, or `(batch, H, W, 1)`, whose channel is repeated.
        second: the same; each image is compared with the one of the same index.

    Returns:
        Floats `(batch,)`.

    Raises:
        ValueError: for images that are not uint8, or have other channels; for weights that do not
            fit.
        RuntimeError: if the ImageNet weights are unavailable.
        ImportError: for a `.pth` file, without PyTorch.

    Example:

    >>> import numpy as np
    >>> from keras_spade.metrics import Diversity, PerceptualDistance
    >>> distance = PerceptualDistance(weights=None)  # random weights, for a dry run
    >>> images = np.zeros((2, 32, 48, 3), "uint8")
    >>> [float(x) for x in distance(images, images)]
    [0.0, 0.0]
    >>> metric = Diversity(distance)

    Reference: Zhang et al. 2018 (LPIPS, arXiv 1801.03924), equation 1.
    """

    def __init__(self, weights: str | os.PathLike | Mapping | None = "imagenet"):
        self.network = PerceptualNetwork(weights, None, "vgg16", TAPS)
        self.weights = self.network.weights

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """The distances of pairs of images."""
        both = (
            self.network(byte_images(argument, images))
            for argument, images in (("first", first), ("second", second))
        )
        pairs = zip(*both, strict=True)
        differences = (ops.sum(ops.square(_unit(f) - _unit(s)), axis=-1) for f, s in pairs)
        return sum(ops.mean(difference, axis=(1, 2)) for difference in differences)

    @property
    def description(self) -> str:
        """The distance in words, for reports."""
        weights = weights_in_words(self.weights)
        return f"LPIPS' formula on VGG16 without its learned weights; weights: {weights}"

    def get_config(self):
        """The constructor's arguments; fails for weights given as arrays instead of a file."""
        return {"weights": self.network.get_config()["weights"]}

    @classmethod
    def from_config(cls, config):
        """Builds the distance from `get_config()`."""
        return cls(**config)


def _unit(features):
    norms = ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True))
    return features / ops.maximum(norms, 1e-10)
