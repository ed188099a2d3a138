"""Recording which parts of a layer or network are frozen, for configs and copies."""

import keras


def trainable_parts(layer: keras.layers.Layer) -> dict[str, bool]:
    """Maps the path of each part whose `trainable` differs from its parent's to its `trainable`.

    Parts are layers with weights, and weights; outer parts come first. `{"head_0": False}`: the
    whole block is frozen.

    Args:
        layer: a built layer or network.
    """
    found = {}

    def look(layer, path):
        for part in _parts(layer):
            if part.trainable != layer.trainable:
                found[path + part.name] = part.trainable
            if isinstance(part, keras.layers.Layer):
                look(part, f"{path}{part.name}/")

    look(layer, "")
    return found


def set_trainable_parts(layer: keras.layers.Layer, parts: dict[str, bool]) -> None:
    """Applies the result of `trainable_parts` of another layer.

    Args:
        layer: a built layer or network.
        parts: `trainable` by path.

    Raises:
        ValueError: if the layer has no such part.
    """
    for path, trainable in parts.items():
        part = layer
        for name in path.split("/"):
            part = {inner.name: inner for inner in _parts(part)}.get(name)
            if part is None:
                raise ValueError(f"`trainable_parts`: {layer.name!r} has no part {path!r}.")
        part.trainable = trainable


def copy_trainable(source: keras.layers.Layer, target: keras.layers.Layer) -> None:
    """Copies `trainable` from a layer and its parts to another layer of the same kind.

    Args:
        source: a built layer.
        target: a built layer with the same parts.
    """
    target.trainable = source.trainable
    set_trainable_parts(target, trainable_parts(source))


def config_of_parts(layer: keras.layers.Layer) -> dict:
    """Config entries of the parts: empty unless a part's `trainable` differs from its parent's."""
    parts = trainable_parts(layer)
    return {"trainable_parts": parts} if parts else {}


def _parts(layer):
    """The layer's own weights, except statistics, and its sublayers with weights."""
    if not isinstance(layer, keras.layers.Layer):
        return []
    return [*layer._trainable_variables, *(part for part in layer._layers if part.weights)]
