"""The base class of layers made of layers."""

from typing import Any

import keras

from keras_spade.layers.trainable_parts import config_of_parts, set_trainable_parts


class Composite(keras.layers.Layer):
    """A layer made of layers, whose copies have the same parts frozen.

    Keras only keeps `trainable` of the whole layer. Subclasses create their layers with
    `trainable=self.trainable`, and call `freeze_parts` at the end of `build`.

    Args:
        **kwargs: see `keras.layers.Layer`.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.parts_of_config = {}

    def freeze_parts(self) -> None:
        """Sets `trainable` of the layers created in `build` as in the config."""
        set_trainable_parts(self, self.parts_of_config)

    def get_config(self):
        """The constructor's arguments, and the frozen parts if only some are frozen."""
        parts = self.parts_of_config
        given = {"trainable_parts": dict(parts)} if parts else {}
        return super().get_config() | (config_of_parts(self) if self.built else given)

    @classmethod
    def from_config(cls, config):
        """Makes the layer from `get_config()`."""
        config = dict(config)
        parts = config.pop("trainable_parts", {})
        layer = super().from_config(config)
        layer.parts_of_config = dict(parts)
        return layer
