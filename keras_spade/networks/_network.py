"""What the three networks share as Keras models."""

import keras

from keras_spade.backends import backend
from keras_spade.files import WholeFiles
from keras_spade.networks._folding import fold


class Network(WholeFiles, keras.Model):
    """A functional model inside a class: its config is its constructor's arguments."""

    ARGUMENTS = ()
    # Of functional models:
    input: dict | keras.KerasTensor
    outputs: list

    @property
    def writes_files(self):
        """Whether this process writes files: on several workers, the first one does."""
        return backend.writes_files(self)

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

    def fold_spectral_norm(self, **changes):
        """A copy for inference that computes no spectral norm any more.

        Every kernel holds what `SpectralNorm` would divide it to in inference, so outputs are equal
        up to rounding, and come sooner.

        Args:
            **changes: constructor arguments that the copy has otherwise, without weights of other
                shapes: `modulation="dense"` or `dtype="float32"`, for runtimes that have no more.

        Returns:
            A network with `spectral_norm=False`; this one stays as it is. Training the copy would
            train without spectral norm.

        Example:

        >>> from keras_spade import SPADEGenerator
        >>> generator = SPADEGenerator(4, (32, 64, 3), latent_dim=None, base_filters=2)
        >>> generator.fold_spectral_norm().spectral_norm
        False
        """
        folded = self.from_config({**self.get_config(), "spectral_norm": False, **changes})
        for layer in filter(lambda layer: layer.weights, self.layers):
            fold(layer, folded.get_layer(layer.name))
        return folded

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
        return cls(**{**config, "dtype": keras.dtype_policies.get(config["dtype"])})
