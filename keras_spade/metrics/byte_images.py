"""Conversion of uint8 images for the networks of the metrics."""

import keras
from keras import ops

from keras_spade.images import to_floats
from keras_spade.metrics.host_metric import refuse_none
from keras_spade.tensor import Tensor


def byte_images(argument: str, images: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """Returns uint8 images for a VGG as floats in [-1, 1], resized if a size is given.

    Args:
        argument: its name in the message.
        images: uint8 `(batch, H, W, channels)`.
        size: `(height, width)`; `None`: not resized.

    Raises:
        ValueError: for anything else.
    """
    refuse_none(**{argument: images})
    images = ops.convert_to_tensor(images)
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype != "uint8" or len(images.shape) != 4:
        raise ValueError(
            f"`{argument}` must be uint8 of shape (batch, H, W, channels), got {dtype} of shape "
            f"{tuple(images.shape)}. `GauGAN.generate` returns such images; "
            "`keras_spade.images.to_bytes` converts floats in [-1, 1]."
        )
    if images.shape[-1] not in (1, 3):
        raise ValueError(
            f"`{argument}`: VGG16 takes images of three channels, or one, repeated; these have "
            f"{images.shape[-1]}. Pass the metric a function that selects channels first, "
            f"`{argument}[..., :3]` for example."
        )
    images = ops.cast(images, "float32")
    if size is not None and tuple(images.shape[1:3]) != size:
        images = ops.image.resize(
            images, size, interpolation="bicubic", antialias=True, data_format="channels_last"
        )
        images = ops.clip(images, 0.0, 255.0)
    return to_floats(images)
