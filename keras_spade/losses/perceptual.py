"""The VGG19 perceptual loss."""

import os
from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from keras_spade.images import to_pixels
from keras_spade.precision import full_precision, full_precision_dtype

TAPS = tuple(f"block{i}_conv1" for i in range(1, 6))
TAP_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
# The convolutions of Keras' VGG19 up to the last tap, and their names in torchvision's.
CONVS = {
    "block1_conv1": "features.0",
    "block1_conv2": "features.2",
    "block2_conv1": "features.5",
    "block2_conv2": "features.7",
    "block3_conv1": "features.10",
    "block3_conv2": "features.12",
    "block3_conv3": "features.14",
    "block3_conv4": "features.16",
    "block4_conv1": "features.19",
    "block4_conv2": "features.21",
    "block4_conv3": "features.23",
    "block4_conv4": "features.25",
    "block5_conv1": "features.28",
}
HELP = (
    "Give a local file, `PerceptualLoss(weights='vgg19_..._notop.h5')`, or turn the loss off with "
    "`compile(perceptual_loss=None)`."
)


@keras.saving.register_keras_serializable(package="keras_spade")
class PerceptualLoss:
    """Weighted L1 distance of VGG19 features of fake and real images.

    `sum_i w_i * mean |vgg_i(fake) - vgg_i(real)|` over relu1_1, relu2_1, relu3_1, relu4_1 and
    relu5_1 with `w = 1/32, 1/16, 1/8, 1/4, 1`; the real side is a constant.

    Mind the scale: the paper's `perceptual_weight=10` was chosen for torchvision's weights with
    inputs of size about 1. Keras' ImageNet weights take inputs of size about 100
    (`preprocessing="imagenet"`), VGG is nearly homogeneous, and so this loss comes out about a
    hundred times larger; the keras.io GauGAN example uses a weight of 0.1.

    Args:
        weights: `"imagenet"`, through `keras.applications` (downloaded once); a path to a local
            Keras file of VGG19 without top (`.weights.h5`, `.h5` or `.keras`); or a mapping of
            torchvision's names (`"features.0.weight"` ...) to arrays; or `None`: random ones.
        preprocessing: `"imagenet"`: as published for Keras' VGG19 (BGR, 0 to 255, mean
            subtracted); `"none"`: images in [-1, 1] as they are, which is what the authors' code
            does.

    Call arguments:
        fake: `(batch, H, W, 3)` in [-1, 1], or `(batch, H, W, 1)`, whose channel is repeated.
        real: the same.

    Returns:
        A scalar.

    Raises:
        ValueError: for bad arguments, weights that do not fit, or images of other channels.
        RuntimeError: if the ImageNet weights cannot be had.

    Example:

    >>> import numpy as np
    >>> from keras_spade.losses import PerceptualLoss
    >>> loss = PerceptualLoss(weights=None)  # random weights, for a dry run
    >>> image = np.zeros((1, 32, 32, 3), "float32")
    >>> float(loss(image, image))
    0.0

    Reference: Johnson et al. 2016 (arXiv 1603.08155); Wang et al. 2018 (pix2pixHD), section 3.4;
    Park et al. 2019 (arXiv 1903.07291), section 3.
    """

    def __init__(self, weights="imagenet", preprocessing="imagenet"):
        if preprocessing not in ("imagenet", "none"):
            raise ValueError(
                f'`preprocessing` must be "imagenet" or "none", got {preprocessing!r}.'
            )
        if not (weights is None or isinstance(weights, Mapping)):
            weights = os.fspath(weights)
        self.weights = weights
        self.preprocessing = preprocessing
        self.features = _features(_load_vgg19(weights))

    def __call__(self, fake, real):
        """The weighted distance."""
        terms = zip(TAP_WEIGHTS, self.tap(fake), self.tap(real), strict=True)
        return sum(w * ops.mean(ops.abs(f - ops.stop_gradient(r))) for w, f, r in terms)

    def tap(self, images):
        """The five feature maps of a batch of images.

        Args:
            images: `(batch, H, W, 3)` or `(batch, H, W, 1)` in [-1, 1].

        Returns:
            A list of `(batch, h, w, channels)`.
        """
        images = full_precision(ops.convert_to_tensor(images))
        check_channels(images.shape[-1])
        if images.shape[-1] == 1:
            images = ops.repeat(images, 3, axis=-1)
        if self.preprocessing == "imagenet":
            images = keras.applications.vgg19.preprocess_input(to_pixels(images))
        return self.features(images, training=False)

    @property
    def comes_from_a_file(self):
        """Whether the weights can be told by name."""
        return isinstance(self.weights, str)

    def get_config(self):
        """The constructor's arguments; arrays cannot be told, only files can."""
        if isinstance(self.weights, Mapping):
            raise ValueError(
                "PerceptualLoss: weights given as arrays cannot be saved with the model. "
                "Give them as a file."
            )
        return {"weights": self.weights, "preprocessing": self.preprocessing}

    @classmethod
    def from_config(cls, config):
        """Builds the loss from `get_config()`."""
        return cls(**config)


def check_channels(channels):
    """Raises for images of so many channels, unless VGG19 can see them."""
    if channels not in (1, 3):
        raise ValueError(
            f"`perceptual_loss`: VGG19 sees images of three channels, or one, repeated; these have "
            f"{channels}. Turn it off with `compile(perceptual_loss=None)`, or give a function "
            "that shows it three of them: `loss = PerceptualLoss(...)` and `compile("
            "perceptual_loss=lambda fake, real: loss(fake[..., :3], real[..., :3]))`."
        )


def _features(vgg):
    """The taps of a VGG19, frozen, float32 under every mixed dtype policy."""
    dtype = full_precision_dtype(keras.config.dtype_policy().variable_dtype)
    clone = keras.models.clone_model(
        vgg, clone_function=lambda layer: type(layer)(**{**layer.get_config(), "dtype": dtype})
    )
    clone.set_weights(vgg.get_weights())
    clone.trainable = False
    return keras.Model(clone.inputs, [clone.get_layer(tap).output for tap in TAPS])


def _load_vgg19(weights):
    if weights == "imagenet":
        try:
            return keras.applications.VGG19(include_top=False, weights="imagenet")
        except Exception as error:
            raise RuntimeError(
                f"PerceptualLoss: the ImageNet weights of VGG19 cannot be had ({error}). {HELP}"
            ) from error
    vgg = keras.applications.VGG19(include_top=False, weights=None)
    if isinstance(weights, Mapping):
        _set_torchvision_weights(vgg, weights)
    elif weights is not None:
        _load_file(vgg, weights)
    return vgg


def _load_file(vgg, path):
    if not os.path.isfile(path):
        raise ValueError(f"`weights`: no such file: {path!r}. {HELP}")
    try:
        if path.endswith(".keras"):
            saved = keras.models.load_model(path, compile=False)
            for name in CONVS:
                vgg.get_layer(name).set_weights(saved.get_layer(name).get_weights())
        else:
            vgg.load_weights(path)
    except Exception as error:
        raise ValueError(
            f"`weights`: {path!r} does not fit VGG19 without top ({error})."
        ) from error


def _set_torchvision_weights(vgg, weights):
    wanted = [f"{theirs}.{kind}" for theirs in CONVS.values() for kind in ("weight", "bias")]
    missing = [key for key in wanted if key not in weights]
    if missing:
        raise ValueError(f"`weights`: missing {missing}.")
    for name, theirs in CONVS.items():
        layer = vgg.get_layer(name)
        height, width, inputs, outputs = layer.kernel.shape
        arrays = {"weight": (outputs, inputs, height, width), "bias": (outputs,)}
        for kind, shape in arrays.items():
            got = tuple(np.shape(weights[f"{theirs}.{kind}"]))
            if got != shape:
                raise ValueError(f"`weights`: {theirs}.{kind} has shape {got}, wanted {shape}.")
        layer.kernel.assign(np.transpose(weights[f"{theirs}.weight"], (2, 3, 1, 0)))
        layer.bias.assign(weights[f"{theirs}.bias"])
