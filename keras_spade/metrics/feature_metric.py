"""The base class of metrics that compare features of two sets of images."""

from collections.abc import Callable

from keras import ops
from numpy.typing import ArrayLike

from keras_spade.backends import backend
from keras_spade.metrics.host_metric import (
    HostMetric,
    deserialized,
    in_words,
    refuse_none,
    serialized,
)
from keras_spade.metrics.vgg16_features import VGG16Features
from keras_spade.precision import full_precision
from keras_spade.tensor import Tensor


class FeatureMetric(HostMetric):
    """A distance between real and painted images, computed from their features.

    Args:
        features: function of images that returns `(batch, D)`.
        name: of the metric.
        dtype: of the result.
    """

    of_the_literature: str  # Its name with the features of Inception-v3.

    def __init__(self, features: Callable, name: str, dtype: str | None = None):
        if not callable(features):
            raise ValueError(
                f"`features` must be a function of uint8 images that returns (batch, D), got "
                f"{features!r}."
            )
        self.dimensions = None
        super().__init__(name, dtype, better="down")
        self.features = features

    def update_state(self, real: Tensor, fake: ArrayLike) -> None:
        """Adds images to both sets, which may differ in image size and number.

        Args:
            real: uint8 `(batch, H, W, channels)`: photographs.
            fake: the same: painted pictures.

        Raises:
            ValueError: if `features` does not return `(batch, D)`, with the same D each time; for
                `None`.
        """
        refuse_none(real=real, fake=fake)
        backend.on_host(self.add, self._vectors(real), self._vectors(fake))

    def _vectors(self, images):
        with backend.without_gradients():
            vectors = full_precision(ops.convert_to_tensor(self.features(images)))
        shape, batch = tuple(vectors.shape), images.shape[0]
        dimensions = self.dimensions or (shape[1] if len(shape) == 2 else None)
        if len(shape) != 2 or shape[1] != dimensions or None is not batch != shape[0] is not None:
            raise ValueError(
                f"`features` must return ({batch}, {dimensions or 'D'}) for images of shape "
                f"{tuple(images.shape)}, got {shape}."
            )
        self.dimensions = dimensions
        return vectors

    def protocol(self) -> dict[str, str]:
        """The features; see `HostMetric`."""
        why = "unless the features are those of its Inception-v3"
        if isinstance(self.features, VGG16Features):
            why = "which uses Inception-v3"
        return {
            "features": in_words(self.features),
            "is_not": f"the {self.of_the_literature} of the literature, {why}",
        }

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "features": serialized("features", self.features)}

    @classmethod
    def from_config(cls, config):
        """Builds the metric from `get_config()`."""
        return cls(**deserialized(config, "features"))
