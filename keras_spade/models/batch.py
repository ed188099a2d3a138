"""Conversion of the batches of `fit`, `evaluate` and `predict` for the networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from keras_spade.arguments import samples_by_name, shape_hint
from keras_spade.backends import backend
from keras_spade.backends.part import Part
from keras_spade.images import to_floats
from keras_spade.layers import instance_edges, nearest_resize
from keras_spade.models.keras_arguments import maps_and_images, refuse_weights
from keras_spade.networks import Generator
from keras_spade.networks._network import Network
from keras_spade.tensor import Tensor

INTEGER_INSTANCES = (
    "`instances` must be integer ids, got dtype {}. If they are ids saved as floats, "
    'pass instances.astype("int32").'
)


@dataclass(frozen=True)
class Batch:
    """The checked input of a step: this replica's part of a batch.

    Args:
        conditioning: `"labels"` int32 `(batch, H, W)` and `"edges"` float `(batch, H, W)`, or
            `"segmap"` float `(batch, H, W, k)`; `"patterns"` if they have been searched.
        image: the photographs, floats in [-1, 1], `(batch, H, W, channels)`.
        part: of the global batch.
    """

    conditioning: dict[str, Any]
    image: Any
    part: Part | None

    @property
    def tensors(self) -> dict[str, Any]:
        """All tensors that were checked."""
        return self.conditioning | {"image": self.image}


def read_batch(data: Any, generator: Generator, part: Part | None) -> Batch:
    """Reads a batch of `fit` or `evaluate`, checking keys, shapes, dtypes, label ids and images.

    Args:
        data: a dict, or a tuple of labels and images, as Keras' loop passes it to a step.
        generator: a `Generator`.
        part: of the global batch.

    Raises:
        ValueError: for a batch that does not fit. For label ids that are not a class, and images in
            a wrong range, the error of the backend.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    refuse_weights(sample_weight=sample_weight)
    x, y = maps_and_images(x, y)
    given = samples_by_name(x, y, map_key(generator))
    maps = label_maps(given, generator)
    if given.get("image") is None:
        raise ValueError(f"The batch lacks the key 'image'; it has {sorted(given)}.")
    image = ops.convert_to_tensor(given["image"])
    _check_shape("image", image, (None, *generator.image_shape))
    for key in maps.keys() - {"patterns"}:
        _check_shape(key, maps[key], (None, *generator.image_shape[:2]), leading=3)
    image, maps = checked_floats("image", image, maps)
    maps = with_checked_ids(maps, generator)
    return Batch(conditioning_inputs(maps, generator), image, part)


def checked_floats(key: str, image: Tensor, others: dict[str, Tensor]) -> tuple:
    """Images as floats in [-1, 1], and a dict of tensors that depend on that check."""
    image = ops.convert_to_tensor(image)
    if keras.backend.standardize_dtype(image.dtype) == "uint8":
        return to_floats(ops.cast(image, keras.config.floatx())), others
    return backend.check_image_range(key, image, others)


def map_key(generator: Generator) -> str:
    """The key of the label map in a batch."""
    return "segmap" if generator.conditioning == "dense" else "labels"


def label_maps(given: Mapping[str, Any], generator: Generator) -> dict:
    """Returns the label maps for the networks, from a dict that may have other keys.

    Returns:
        `"labels"` int32 and `"instances"` or `"edges"`, or `"segmap"`; of any size. And
        `"patterns"`, if `Network.with_patterns` has added them.
    """
    key = map_key(generator)
    if given.get(key) is None:
        raise ValueError(f"The batch lacks the key {key!r}; it has {sorted(given)}.")
    segmap = ops.convert_to_tensor(given[key])
    if key == "segmap":
        _check_shape(key, segmap, (None, None, None, generator.num_classes))
        return {key: segmap}
    if "int" not in keras.backend.standardize_dtype(segmap.dtype):
        raise ValueError(
            f"`labels` must be integer ids, got dtype {segmap.dtype}. For one-hot or float maps "
            'build the networks with conditioning="dense".'
        )
    _check_shape("labels", segmap, (None, None, None))
    if keras.backend.standardize_dtype(segmap.dtype) in ("int64", "uint64"):
        # The upper 32 bits would be lost, and 2^32 would become class 0.
        wide = ops.cast(segmap, "int64")
        segmap = ops.where(wide == ops.cast(ops.cast(wide, "int32"), "int64"), wide, -1)
    maps = {"labels": ops.cast(segmap, "int32")}
    if generator.instance_edges:
        key = "instances" if given.get("edges") is None else "edges"
        if given.get(key) is None:
            raise ValueError(
                "The batch lacks the key 'instances', which a generator with instance_edges=True "
                f"needs; it has {sorted(given)}."
            )
        maps[key] = ops.convert_to_tensor(given[key])
        dtype = keras.backend.standardize_dtype(maps[key].dtype)
        if key == "instances" and "float" in dtype:
            raise ValueError(INTEGER_INSTANCES.format(dtype))
    if isinstance(given.get("patterns"), dict):
        maps["patterns"] = given["patterns"]
    return maps


def with_checked_ids(maps: dict[str, Tensor], generator: Generator) -> dict:
    """The maps, with a check that every label id is a class."""
    if "labels" not in maps:
        return maps
    labels = backend.check_label_range(maps["labels"], label_channels(generator))
    return maps | {"labels": labels}


def conditioning_inputs(maps: dict[str, Tensor], generator: Generator) -> dict:
    """Makes the conditioning inputs of the networks from label maps, as datasets do.

    Maps of another size are first resized to the image size by nearest neighbours; instance edges
    are computed after that. In edges, any nonzero value is an edge.

    Args:
        maps: the result of `label_maps`.
        generator: a `Generator`.

    Raises:
        ValueError: for edges of another size, which resizing would thin.
    """
    size = generator.image_shape[:2]
    if "edges" in maps:
        _check_shape("edges", maps["edges"], (None, *size), hint=" Give `instances`, of any size.")
    inputs = {key: nearest_resize(maps[key], *size) for key in maps if key != "patterns"}
    if "instances" in inputs:
        inputs["edges"] = instance_edges(inputs.pop("instances"))
    return inputs | ({"patterns": maps["patterns"]} if "patterns" in maps else {})


def prepare_batch(data: Any, networks: Sequence[Network], images: str) -> Any:
    """Prepares a batch for a compiled step, which neither checks values nor searches patterns.

    Args:
        data: a batch, as Keras' loop passes it to a step.
        networks: those that read it, the generator first.
        images: the key of the images that the step reads.

    Returns:
        The batch, with label patterns if they can be searched in advance.

    Raises:
        ValueError: for label ids that are not a class, and images in a wrong range.
    """
    check_values(data, networks[0], images)
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    given = samples_by_name(x, key=map_key(networks[0]))
    found = networks[0].with_patterns(given, *networks[1:])
    return data if found is given else (found, y, sample_weight)


def check_values(data: Any, generator: Generator, images: str) -> None:
    """Raises for label ids that are not a class, and images in a wrong range.

    Args:
        data: a batch, as Keras' loop passes it to a step.
        generator: a `Generator`.
        images: the key of the images that the step reads.
    """
    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    given = samples_by_name(x, y)
    labels, image = given.get("labels"), given.get(images)
    if hasattr(image, "dtype") and keras.backend.standardize_dtype(image.dtype) != "uint8":
        backend.check_image_range(images, image, {})
    if "int" in str(getattr(labels, "dtype", "")) and generator.conditioning == "labels":
        backend.check_label_range(labels, label_channels(generator))


def label_channels(generator: Generator) -> int:
    """The number of classes, including the void class."""
    return generator.num_classes + bool(generator.void_class)


def _check_shape(key, value, wanted, leading=None, hint=""):
    """Compares the known sizes of a shape's first `leading` axes with the expected ones."""
    shape = tuple(value.shape)
    sizes, wanted_sizes = shape[:leading], wanted[:leading]
    fits = len(sizes) == len(wanted_sizes) and all(
        size is None or want is None or size == want
        for size, want in zip(sizes, wanted_sizes, strict=True)
    )
    if not fits:
        hint = hint or shape_hint(shape, wanted)
        names = ["batch", *(str(size) if size else "any" for size in wanted[1:])]
        names += ["..."] if leading is not None and len(shape) > leading else []
        raise ValueError(f"`{key}` must have shape ({', '.join(names)}), got {shape}.{hint}")
