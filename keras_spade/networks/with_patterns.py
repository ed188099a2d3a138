"""Label patterns of a batch, searched on the host before a compiled step."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from keras_spade.images import instance_borders, resize_maps
from keras_spade.networks._network import Network
from keras_spade.segmaps import host_searches, search_on_host


def with_patterns(given: Mapping[str, Any], networks: Sequence[Network]) -> Mapping[str, Any]:
    """Adds the label patterns that networks would otherwise search in a compiled step, on JAX.

    Args:
        given: a batch by name, with values.
        networks: those that read it, all with the same label maps.

    Returns:
        The batch with the input `"patterns"` of the networks. Unchanged if they need none, and if
        it does not fit, so that the step refuses it.
    """
    layers = [layer for network in networks for layer in network.pattern_layers]
    maps = {"labels": given.get("labels")}
    if networks[0].instance_edges:
        key = "instances" if given.get("edges") is None else "edges"
        maps[key] = given.get(key)
    shapes = [tuple(getattr(x, "shape", ())) for x in maps.values()]
    fits = all(len(shape) == 3 and all(shape) for shape in shapes)
    if not (layers and fits and len({shape[0] for shape in shapes}) == 1 and host_searches()):
        return given
    size = networks[0].image_shape[:2]
    maps = {key: resize_maps(ops.convert_to_numpy(x), *size) for key, x in maps.items()}
    edges = instance_borders(maps["instances"]) if "instances" in maps else maps.get("edges")
    return {**given, "patterns": search_on_host(layers, maps["labels"], edges)}
