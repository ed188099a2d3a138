"""What comes in: batches for training, arrays for painting, and whether they fit the networks."""

import keras
import numpy as np
from keras import ops

from keras_spade.layers import instance_edges
from keras_spade.networks import MultiScaleDiscriminator, SPADEGenerator, StyleEncoder


def check_networks(generator, discriminator, encoder):
    """Raises unless the networks belong together."""
    for argument, network, kind in (
        ("generator", generator, SPADEGenerator),
        ("discriminator", discriminator, MultiScaleDiscriminator),
        ("encoder", encoder, StyleEncoder),
    ):
        if not (isinstance(network, kind) or (network is None and kind is StyleEncoder)):
            raise ValueError(
                f"`{argument}` must be a {kind.__name__}, got {type(network).__name__}."
            )
    for attribute in ("num_classes", "image_shape", "void_class", "instance_edges", "conditioning"):
        ours, theirs = getattr(generator, attribute), getattr(discriminator, attribute)
        if ours != theirs:
            raise ValueError(
                f"`generator` and `discriminator` must have the same {attribute}: "
                f"{ours!r} against {theirs!r}."
            )
    if encoder is None:
        return
    if encoder.latent_dim != generator.latent_dim:
        raise ValueError(
            "`encoder` and `generator` must have the same latent_dim: "
            f"{encoder.latent_dim!r} against {generator.latent_dim!r}."
        )
    if encoder.image_shape != generator.image_shape:
        raise ValueError(
            "`encoder` and `generator` must have the same image_shape: "
            f"{encoder.image_shape!r} against {generator.image_shape!r}."
        )


def map_key(generator):
    """The key of the label map in a batch."""
    return "segmap" if generator.conditioning == "dense" else "labels"


def training_batch(data, generator):
    """A batch of `fit` as `{"conditioning": dict, "image": float}`, its shapes checked."""
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    if sample_weight is not None:
        raise ValueError("`sample_weight` is not used; leave it away.")
    batch = dict(x) if isinstance(x, dict) else {map_key(generator): x}
    if y is not None:
        batch["image"] = y
    conditioning = conditioning_inputs(batch, generator)
    if batch.get("image") is None:
        raise ValueError(f"The batch lacks the key 'image'; it has {sorted(batch)}.")
    image = ops.convert_to_tensor(batch["image"])
    _check_shape("image", image, (None, *generator.image_shape))
    for key, value in conditioning.items():
        _check_shape(key, value, (None, *generator.image_shape[:2]), leading=3)
    if "int" in keras.backend.standardize_dtype(image.dtype):
        image = ops.cast(image, keras.config.floatx()) / 127.5 - 1.0
    return {"conditioning": conditioning, "image": image}


def conditioning_inputs(batch, generator):
    """The conditioning inputs of the networks, from a batch that may hold other keys."""
    key = map_key(generator)
    if batch.get(key) is None:
        raise ValueError(f"The batch lacks the key {key!r}; it has {sorted(batch)}.")
    segmap = ops.convert_to_tensor(batch[key])
    if key == "segmap":
        _check_shape(key, segmap, (None, None, None, generator.num_classes))
        return {key: segmap}
    if "int" not in keras.backend.standardize_dtype(segmap.dtype):
        raise ValueError(
            f"`labels` must be integer ids, got dtype {segmap.dtype}. For one-hot or float maps "
            'build the networks with conditioning="dense".'
        )
    _check_shape("labels", segmap, (None, None, None))
    inputs = {"labels": ops.cast(segmap, "int32")}
    if generator.instance_edges:
        if batch.get("edges") is not None:
            inputs["edges"] = batch["edges"]
        elif batch.get("instances") is not None:
            inputs["edges"] = instance_edges(batch["instances"])
        else:
            raise ValueError(
                "The batch lacks the key 'instances', which a generator with instance_edges=True "
                f"needs; it has {sorted(batch)}."
            )
    return inputs


def _check_shape(key, value, wanted, leading=None):
    """Compares the known sizes of a shape's first `leading` axes with the wanted ones."""
    shape = tuple(value.shape)
    sizes, wanted_sizes = shape[:leading], wanted[:leading]
    fits = len(sizes) == len(wanted_sizes) and all(
        size is None or want is None or size == want
        for size, want in zip(sizes, wanted_sizes, strict=True)
    )
    if not fits:
        names = ["batch", *(str(size) if size else "any" for size in wanted[1:])]
        names += ["..."] if leading is not None and len(shape) > leading else []
        raise ValueError(f"`{key}` must have shape ({', '.join(names)}), got {shape}.")


def checked_arrays(labels, instances, generator):
    """The arrays of `generate` as a batch, checked on the host."""
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
        return {key: segmap.astype("float32")}
    if segmap.ndim != 3:
        raise ValueError(f"`labels` must have shape (batch, H, W), got {segmap.shape}.")
    if not np.issubdtype(segmap.dtype, np.integer):
        raise ValueError(f"`labels` must be integer ids, got dtype {segmap.dtype}.")
    classes = generator.num_classes + bool(generator.void_class)
    if segmap.size and (segmap.min() < 0 or segmap.max() >= classes):
        raise ValueError(
            f"`labels` must hold ids 0..{classes - 1}, got {segmap.min()}..{segmap.max()}."
        )
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
        arrays["instances"] = instances.astype("int32")
    return arrays


def checked_style(style_image, batch_size, image_shape):
    """A style image as floats in [-1, 1] at the encoder's size."""
    style = np.asarray(style_image)
    if style.ndim != 4 or style.shape[0] not in (1, batch_size) or style.shape[-1] != 3:
        raise ValueError(
            f"`style_image` must have shape ({batch_size} or 1, height, width, 3), got "
            f"{style.shape}."
        )
    if np.issubdtype(style.dtype, np.integer):
        style = style / np.float32(127.5) - np.float32(1.0)
    style = style.astype("float32")
    if style.shape[1:3] != image_shape[:2]:
        style = ops.image.resize(style, image_shape[:2], interpolation="bilinear")
    return style
