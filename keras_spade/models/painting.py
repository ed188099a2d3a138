"""Preparing label maps and photographs of any size for painting, as in training."""

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_spade.arguments import ids_out_of_range, shape_hint
from keras_spade.images import (
    check_images,
    resize_maps,
    resize_photographs,
    to_floats,
    to_pixels,
    whole_pixels,
)
from keras_spade.layers import reparameterize
from keras_spade.models.batch import (
    INTEGER_INSTANCES,
    checked_floats,
    conditioning_inputs,
    label_channels,
    label_maps,
    map_key,
)
from keras_spade.models.gan_networks import GanNetworks
from keras_spade.networks import Generator
from keras_spade.tensor import Tensor


def checked_maps(labels: ArrayLike, instances: ArrayLike | None, generator: Generator) -> dict:
    """Returns label maps and instance maps as a batch of the generator's image size.

    Args:
        labels: as in `GauGAN.generate`.
        instances: as in `GauGAN.generate`.
        generator: a `Generator`.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    key = map_key(generator)
    segmap = np.asarray(labels)
    if instances is not None and not generator.instance_edges:
        raise ValueError("`instances`: the generator was built without instance_edges.")
    if key == "segmap":
        if segmap.ndim != 4 or segmap.shape[-1] != generator.num_classes:
            raise ValueError(
                f"`labels` must have shape (batch, H, W, {generator.num_classes}), got "
                f"{segmap.shape}."
            )
        return {key: resize_maps(segmap.astype("float32"), *generator.image_shape[:2])}
    if segmap.dtype.kind in "USO":
        raise ValueError(
            f"`labels` must be an array of ids, got {labels!r:.80}. To read a file, use "
            "keras_spade.datasets.read_label_map."
        )
    if segmap.ndim != 3:
        hint = shape_hint(segmap.shape, ("batch", "H", "W"))
        raise ValueError(f"`labels` must have shape (batch, H, W), got {segmap.shape}.{hint}")
    if not np.issubdtype(segmap.dtype, np.integer):
        raise ValueError(
            f"`labels` must be integer ids, got dtype {segmap.dtype}. If they are ids saved "
            'as floats, pass labels.astype("int32").'
        )
    ids = label_channels(generator)
    if segmap.size and (segmap.min() < 0 or segmap.max() >= ids):
        raise ValueError(ids_out_of_range(ids, segmap.min(), segmap.max()))
    arrays = {key: segmap.astype("int32")}
    if generator.instance_edges:
        if instances is None:
            raise ValueError("`instances` is needed: the generator has instance_edges=True.")
        instances = np.asarray(instances)
        if instances.shape != segmap.shape:
            raise ValueError(
                f"`instances` must have the shape of `labels`, {segmap.shape}, got "
                f"{instances.shape}."
            )
        if instances.dtype.kind not in "biu":
            raise ValueError(INTEGER_INSTANCES.format(instances.dtype))
        if instances.dtype.itemsize > 2 and instances.dtype != np.int32:
            # Only their equality matters.
            instances = np.unique(instances, return_inverse=True)[1].reshape(segmap.shape)
        arrays["instances"] = instances.astype("int32")
    return {k: resize_maps(array, *generator.image_shape[:2]) for k, array in arrays.items()}


def checked_style(style_image: ArrayLike, batch_size: int, image_shape: tuple) -> np.ndarray:
    """Returns a style image as floats in [-1, 1] at the encoder's size, resized as in datasets."""
    style = np.asarray(style_image)
    channels = image_shape[-1]
    wanted = f"({batch_size} or 1, height, width, {channels})"
    if style.ndim != 4 or style.shape[0] not in (1, batch_size) or style.shape[-1] != channels:
        hint = shape_hint(style.shape, ("batch", "height", "width", channels))
        raise ValueError(f"`style_image` must have shape {wanted}, got {style.shape}.{hint}")
    check_images("style_image", style)
    if not np.isfinite(style).all():
        raise ValueError("`style_image` holds values that are not finite (NaN or infinity).")
    if style.shape[1:3] != image_shape[:2]:
        style = resize_photographs(style, *image_shape[:2])
    is_bytes = style.dtype == np.uint8
    style = style.astype("float32")
    return to_floats(style) if is_bytes else style


def style_tensor(style: Tensor, image_shape: tuple) -> Tensor:
    """Does the same in a compiled call, where Pillow cannot resize; equal to within one byte.

    Args:
        style: floats in [-1, 1], `(batch, h, w, channels)`.
        image_shape: the encoder's.
    """
    if tuple(style.shape[1:3]) == image_shape[:2]:
        return style
    pixels = to_pixels(ops.cast(style, "float32"))
    height, width = image_shape[:2]
    # As in Pillow: along one axis, clipped to the range, then along the other.
    for size in ((style.shape[1] or height, width), (height, width)):
        if tuple(pixels.shape[1:3]) != size:
            pixels = ops.image.resize(
                pixels,
                size,
                interpolation="bicubic",
                antialias=True,
                data_format="channels_last",
            )
            pixels = whole_pixels(pixels)
    return to_floats(pixels)


def inference(networks: GanNetworks, inputs: dict) -> Tensor:
    """Paints label maps whose ids have been checked, of any size, with a given latent."""
    maps = label_maps(inputs, networks.generator)
    conditioning = conditioning_inputs(maps, networks.generator)
    return networks.paint(conditioning, inputs.get("latent"), training=False)


def latent_of_call(
    networks: GanNetworks,
    inputs: dict,
    conditioning: dict,
    noise: keras.random.SeedGenerator,
    training: bool,
) -> tuple[Tensor | None, dict[str, Tensor]]:
    """Returns the latents for a call of a `GauGAN`, and its conditioning inputs.

    Args:
        networks: a `GanNetworks`.
        inputs: of the call.
        conditioning: the conditioning inputs made of these.
        noise: a `keras.random.SeedGenerator`.
        training: as in the call.

    Returns:
        The latents, or `None` for a generator without; and the conditioning inputs, which then
        depend on the check of a style image.
    """
    style, latent = inputs.get("style_image"), inputs.get("latent")
    if style is not None and networks.encoder is None:
        raise ValueError("`style_image`: the model has no encoder.")
    if networks.generator.latent_dim is None:
        return None, conditioning
    if latent is not None:
        return latent, conditioning
    if style is None:
        batch_size = ops.shape(next(iter(conditioning.values())))[0]
        return networks.draw_latent(batch_size, noise), conditioning
    style, conditioning = checked_floats("style_image", style, conditioning)
    style = style_tensor(style, networks.encoder.image_shape)
    return networks.encode(style, noise, training)[0], conditioning


def given_or_drawn_latent(
    networks: GanNetworks,
    batch_size: int,
    style_image: ArrayLike | None,
    latent: ArrayLike | None,
    seed: int | keras.random.SeedGenerator | None,
) -> np.ndarray | None:
    """Returns the latents for the arguments of `GauGAN.generate`.

    Args:
        networks: a `GanNetworks`.
        batch_size: number of label maps.
        style_image: as in `GauGAN.generate`.
        latent: as in `GauGAN.generate`.
        seed: an int, a `keras.random.SeedGenerator`, or `None` for NumPy's noise, with which a
            single worker may paint without affecting the shared noise of training.

    Returns:
        An array `(batch_size, latent_dim)`, or `None` for a generator without latent.

    Raises:
        ValueError: naming the argument that does not fit.
    """
    latent_dim = networks.generator.latent_dim
    if style_image is not None and latent is not None:
        raise ValueError("`style_image` and `latent` cannot both be given.")
    if latent_dim is None:
        if style_image is not None or latent is not None:
            raise ValueError(
                "`style_image` and `latent`: the generator has no latent (latent_dim=None)."
            )
        return None
    if latent is not None:
        latent = np.asarray(latent, "float32")
        if latent.shape not in ((batch_size, latent_dim), (1, latent_dim)):
            raise ValueError(
                f"`latent` must have shape ({batch_size}, {latent_dim}) or (1, {latent_dim}), "
                f"got {latent.shape}."
            )
        return np.broadcast_to(latent, (batch_size, latent_dim))
    shape = (batch_size, latent_dim)
    seed = int(np.random.randint(2**31)) if seed is None else seed
    if style_image is None:
        return ops.convert_to_numpy(keras.random.normal(shape, seed=seed))
    if networks.encoder is None:
        raise ValueError("`style_image`: the model has no encoder.")
    style = checked_style(style_image, batch_size, networks.encoder.image_shape)
    posterior = networks.encoder(style, training=False)
    mean, log_variance = (ops.broadcast_to(x, shape) for x in posterior)
    return ops.convert_to_numpy(reparameterize(mean, log_variance, seed=seed))
