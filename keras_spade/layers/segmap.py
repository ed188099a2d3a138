"""The forms a layer takes its label map in: labels, label patterns, or a float map."""

import keras
from keras import ops

from keras_spade.layers.conditioning_map import check_conditioning, conditioning_map
from keras_spade.layers.label_patterns import label_patterns
from keras_spade.layers.modulation import resolve_modulation


def check_segmap(segmap, edges, num_classes, layer_name):
    """Raises unless `segmap` is label patterns, integer labels, or a map with channels."""
    if not isinstance(segmap, dict):
        check_conditioning(segmap, edges, num_classes, layer_name)
    elif edges is not None:
        raise ValueError(
            f"{layer_name!r}: `edges` go to LabelPatterns, not to the layer that takes its result."
        )


def segmap_channels(segmap_shape, edges_shape, num_classes):
    """Channels of the one-hot or float map that a `segmap` of some shape stands for."""
    if isinstance(segmap_shape, dict):
        return segmap_shape["pixels"][-1]
    if len(segmap_shape) == 4:
        return segmap_shape[-1]
    return (num_classes or 0) + (edges_shape is not None)


def searches_patterns(segmap_shape, layer):
    """Whether a layer searches label patterns itself, in shapes that XLA cannot know beforehand."""
    if keras.backend.backend() == "jax":
        return False
    if isinstance(segmap_shape, dict) or len(segmap_shape) == 4:
        return False
    return resolve_modulation(layer.modulation) != "dense"


def encode_segmap(segmap, edges, size, windows, layer):
    """A `segmap` in one of the two forms that layers compute with: patterns, or a float map.

    Args:
        segmap: one of the three forms.
        edges: as `LabelPatterns` takes them, or `None`.
        size: height and width it is resized to.
        windows: as `LabelPatterns` takes them.
        layer: whose `num_classes`, `modulation`, `compute_dtype` and `name` count.
    """
    check_segmap(segmap, edges, layer.num_classes, layer.name)
    if isinstance(segmap, dict):
        return segmap
    modulation = resolve_modulation(layer.modulation)
    if len(segmap.shape) == 4 or modulation == "dense":
        dtype, name = layer.compute_dtype, layer.name
        return conditioning_map(segmap, edges, layer.num_classes, *size, dtype, name)
    return label_patterns(
        segmap, edges, layer.num_classes, size, windows, modulation, layer.compute_dtype
    )


def rows_from(patterns, pattern_rows, dense_maps):
    """Rows that the pixels pick by `patterns["index"]`.

    Args:
        patterns: as `LabelPatterns` gives them.
        pattern_rows: called with the patterns, gives tensors `(patterns, channels)`.
        dense_maps: called with the float map, gives as many maps `(batch, h, w, channels)`.

    Returns:
        A list of tensors `(rows, channels)`.
    """
    rows = pattern_rows(patterns)
    if "map" not in patterns:
        return rows
    # Of one of the two no row is picked.
    dense = [ops.reshape(x, (-1, x.shape[-1])) for x in dense_maps(patterns["map"])]
    return [ops.concatenate(pair, axis=0) for pair in zip(rows, dense, strict=True)]
