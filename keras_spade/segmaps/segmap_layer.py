"""The layer that encodes label maps for all layers at one resolution."""

from keras_spade.segmaps.conditioning_map import ConditioningMap
from keras_spade.segmaps.label_patterns import LabelPatterns
from keras_spade.segmaps.modulation import resolve_modulation


def segmap_layer(height, width, num_classes, windows, modulation, dtype):
    """`LabelPatterns`, or `ConditioningMap` where `modulation` or float maps ask for it.

    Args:
        height: rows that label maps are resized to.
        width: columns.
        num_classes: number of one-hot channels; `None` if float maps come in.
        windows: kernel size and strides of each convolution that is to follow.
        modulation: `"patterns"`, `"dense"` or `"auto"`.
        dtype: a dtype policy.

    Returns:
        The layer; equal arguments give equal names.
    """
    if num_classes is None or resolve_modulation(modulation, num_classes) == "dense":
        name = f"conditioning_{height}x{width}"
        return ConditioningMap(height, width, num_classes, name=name, dtype=dtype)
    sizes = "_".join(f"{size}s{strides}" for size, strides in windows)
    name = f"patterns_{height}x{width}_{sizes}"
    return LabelPatterns(height, width, num_classes, windows, modulation, name=name, dtype=dtype)
