"""What the three networks share as Keras models."""

import keras


class Network(keras.Model):
    """A functional model inside a class: its config is its constructor's arguments."""

    ARGUMENTS = ()

    def call(self, inputs, training=None, mask=None):
        """Runs the graph; refuses labels that are no ids, which Keras would cut to integers."""
        labels = inputs.get("labels") if isinstance(inputs, dict) else None
        dtype = getattr(labels, "dtype", None)
        if dtype is not None and "int" not in keras.backend.standardize_dtype(dtype):
            raise ValueError(
                f"{self.name}: `labels` must be integer ids, got dtype {dtype}. For one-hot or "
                'float maps build the network with conditioning="dense".'
            )
        return super().call(inputs, training=training, mask=mask)

    def get_config(self):
        """The constructor's arguments."""
        return {name: getattr(self, name) for name in self.ARGUMENTS} | {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Builds the network from `get_config()`."""
        return cls(**{**config, "dtype": keras.dtype_policies.deserialize(config["dtype"])})
