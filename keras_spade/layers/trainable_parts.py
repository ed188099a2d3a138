"""Which parts of a layer or network are frozen, for configs and copies."""

import keras


def trainable_parts(layer: keras.layers.Layer) -> dict[str, bool]:
    """`trainable` of every part that differs from what is around it, by path, outermost first.

    Parts are layers with weights, and weights. `{"head_0": False}`: all of that block is frozen.

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
    """Gives a layer what `trainable_parts` found in another.

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
    """Makes a layer, and every part of it, trainable or not as another of the same kind is.

    Args:
        source: a built layer.
        target: a built layer with the same parts.
    """
    target.trainable = source.trainable
    set_trainable_parts(target, trainable_parts(source))


def config_of_parts(layer: keras.layers.Layer) -> dict:
    """What a config holds of them: nothing, unless a part differs from what is around it."""
    parts = trainable_parts(layer)
    return {"trainable_parts": parts} if parts else {}


def _parts(layer):
    """The weights that a layer has itself, statistics left out, and its layers with weights."""
    if not isinstance(layer, keras.layers.Layer):
        return []
    return [*layer._trainable_variables, *(part for part in layer._layers if part.weights)]
