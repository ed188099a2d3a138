"""The base class of the three networks."""

from collections.abc import Mapping
from typing import Any, Self

import keras

from keras_spade.backends import backend
from keras_spade.files import WholeFiles
from keras_spade.images import instance_borders, resize_maps
from keras_spade.layers.trainable_parts import config_of_parts, set_trainable_parts
from keras_spade.networks._folding import fold
from keras_spade.segmaps import LabelPatterns, found_patterns, host_searches, search_on_host


class Network(WholeFiles, keras.Model):
    """A functional model inside a class, whose config is its constructor's arguments."""

    ARGUMENTS = ()
    image_shape: tuple[int, int, int]
    instance_edges: bool
    # Attributes of functional models:
    input: dict | keras.KerasTensor
    outputs: list

    def __init__(self, trainable: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        # Here and not above, because Keras would not change the layers.
        self.trainable = trainable

    @property
    def writes_files(self) -> bool:
        """Whether this process writes files: with several workers, only the first one does."""
        return backend.writes_files(self)

    @property
    def statistics(self) -> list[keras.Variable]:
        """The variables that forward passes change: moving statistics and spectral norm vectors."""
        layers = self._flatten_layers()
        weights = {id(weight) for layer in layers for weight in layer._trainable_variables}
        return [variable for variable in self.variables if id(variable) not in weights]

    @property
    def pattern_layers(self) -> list[LabelPatterns]:
        """The layers that search the label maps of the input, unchanged, for patterns."""
        maps = [self.input[name] for name in ("labels", "edges") if name in self.input]
        return [
            layer
            for layer in self.layers
            if isinstance(layer, LabelPatterns)
            and len(layer._inbound_nodes) == 1
            and [*map(id, keras.tree.flatten(layer.input))] == [*map(id, maps)]
        ]

    def with_patterns(self, given: Mapping[str, Any], *others: "Network") -> Mapping[str, Any]:
        """Adds the label patterns that the network would otherwise search in a compiled call.

        Args:
            given: inputs by name, with values; label maps of any size.
            *others: further networks that will read the same label maps.

        Returns:
            The inputs with `"patterns"`, if the host searches. Unchanged if patterns are not
            needed, and if label maps do not fit, so that the call refuses them.
        """
        if not host_searches():
            return given
        layers = [layer for network in (self, *others) for layer in network.pattern_layers]
        if not layers:
            return given
        names = ["labels"]
        if self.instance_edges:
            names.append("instances" if given.get("edges") is None else "edges")
        shapes = [tuple(getattr(given.get(name), "shape", ())) for name in names]
        fit = all(len(shape) == 3 and all(shape) for shape in shapes)
        if not fit or len({shape[0] for shape in shapes}) != 1:
            return given
        maps = {name: keras.ops.convert_to_numpy(given[name]) for name in names}
        maps = {name: resize_maps(x, *self.image_shape[:2]) for name, x in maps.items()}
        edges = instance_borders(maps["instances"]) if "instances" in maps else maps.get("edges")
        return {**given, "patterns": search_on_host(layers, maps["labels"], edges)}

    def call(self, inputs, training=None, mask=None):
        """Runs the graph; refuses labels that are not integers, which Keras would truncate."""
        labels = inputs.get("labels") if isinstance(inputs, dict) else None
        dtype = getattr(labels, "dtype", None)
        if dtype is not None and "int" not in keras.backend.standardize_dtype(dtype):
            raise ValueError(
                f"{self.name}: `labels` must be integer ids, got dtype {dtype}. For one-hot or "
                'float maps build the network with conditioning="dense".'
            )
        found = inputs.get("patterns") if isinstance(inputs, dict) else None
        if not isinstance(found, dict):
            return super().call(inputs, training=training, mask=mask)
        inputs = {name: value for name, value in inputs.items() if name != "patterns"}
        tables = {layer: found[layer.key] for layer in self.pattern_layers if layer.key in found}
        with found_patterns(tables):
            return super().call(inputs, training=training, mask=mask)

    def fold_spectral_norm(self, **changes: Any) -> Self:
        """Returns a copy for inference with spectral norm folded into the kernels.

        Every kernel is divided by its sigma of inference, so outputs are equal up to rounding and
        computed faster.

        Args:
            **changes: constructor arguments to change that do not affect the shapes of weights:
                `modulation="dense"` or `dtype="float32"`, for runtimes with limited operations.

        Returns:
            A network with `spectral_norm=False` and the same parts frozen; this one is
            unchanged. Training the copy would train without spectral norm.

        Example:

        >>> from keras_spade import SPADEGenerator
        >>> generator = SPADEGenerator(4, (32, 64, 3), latent_dim=None, base_filters=2)
        >>> generator.fold_spectral_norm().spectral_norm
        False
        """
        config = {**self.get_config(), "spectral_norm": False, **changes}
        config.pop("trainable_parts", None)  # `fold` handles the parts that the copy lacks.
        folded = self.from_config(config)
        for layer in filter(lambda layer: layer.weights, self.layers):
            fold(layer, folded.get_layer(layer.name))
        return folded

    def get_config(self):
        """The constructor's arguments, and the frozen parts if only some are frozen."""
        arguments = {name: getattr(self, name) for name in self.ARGUMENTS} | {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }
        return arguments | config_of_parts(self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Builds the network from `get_config()`."""
        config = {**config, "dtype": keras.dtype_policies.get(config["dtype"])}
        parts = config.pop("trainable_parts", {})
        network = cls(**config)
        set_trainable_parts(network, parts)
        return network
