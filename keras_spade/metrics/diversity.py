"""The diversity of pictures painted from one label map with different latents."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from keras_spade.backends import backend
from keras_spade.metrics.host_metric import (
    HostMetric,
    deserialized,
    in_words,
    refuse_none,
    serialized,
)
from keras_spade.metrics.perceptual_distance import PerceptualDistance
from keras_spade.precision import full_precision
from keras_spade.tensor import Tensor


@keras.saving.register_keras_serializable(package="keras_spade")
class Diversity(HostMetric):
    """Mean distance between pictures painted from the same label map with different latents.

    `mean over maps and pairs i < j of distance(picture_i, picture_j)`. A generator that ignores its
    latent has 0. Larger is not always better, because noise is diverse too: also look at a distance
    to photographs.

    Args:
        distance: function of two batches of uint8 images `(batch, H, W, channels)` that returns
            their distances `(batch,)`, `PerceptualDistance` for example.
        name: of the metric.
        dtype: of the result. Sums are float64.

    Call arguments:
        images: uint8 `(maps, pictures, H, W, channels)`: the pictures of each of several label
            maps; or `(pictures, H, W, channels)`: the pictures of one.

    Returns:
        A scalar; NaN if there are no pairs yet.

    Raises:
        ValueError: if `distance` is not a function, or does not return `(batch,)`; for fewer than
            two pictures.

    Example:

    >>> import numpy as np
    >>> from keras_spade.metrics import Diversity
    >>> def distance(first, second):
    ...     return np.mean(np.abs(first.astype("float32") - second), axis=(1, 2, 3))
    >>> metric = Diversity(distance)
    >>> grey = np.array([0, 10, 30], "uint8")
    >>> metric.update_state(np.broadcast_to(grey[:, None, None, None], (3, 8, 8, 3)))
    >>> float(metric.result())  # (10 + 30 + 20) / 3
    20.0

    Reference: Zhu et al. 2017 (BicycleGAN, arXiv 1711.11586), section 5; Park et al. 2019 (arXiv
    1903.07291), section 4, "Multi-modal synthesis", shows such pictures.
    """

    def __init__(self, distance: Callable, name: str = "diversity", dtype: str | None = None):
        if not callable(distance):
            raise ValueError(
                "`distance` must be a function of two batches of uint8 images that returns "
                f"(batch,), got {distance!r}."
            )
        super().__init__(name, dtype, better="up")
        self.distance = distance

    def clear(self) -> None:
        """Forgets all pairs."""
        self.total, self.pairs = 0.0, 0

    def update_state(self, images: Tensor) -> None:
        """Adds the pictures of some label maps.

        Args:
            images: uint8 `(maps, pictures, H, W, channels)`, or `(pictures, H, W, channels)`.

        Raises:
            ValueError: for other shapes, and for fewer than two pictures of a map.
        """
        refuse_none(images=images)
        shape = tuple(images.shape)
        if len(shape) == 4:
            images = images[None]
        if len(shape) not in (4, 5) or images.shape[1] is None or images.shape[1] < 2:
            raise ValueError(
                "`images` must hold at least two pictures per label map, (maps, pictures, H, W, "
                f"channels), got shape {shape}."
            )
        for i in range(images.shape[1]):
            for j in range(i):
                with backend.without_gradients():
                    found = self.distance(images[:, j], images[:, i])
                    found = full_precision(ops.convert_to_tensor(found))
                if len(found.shape) != 1 or found.shape[0] not in (None, images.shape[0]):
                    raise ValueError(
                        f"`distance` must return ({images.shape[0]},) for two batches of that many "
                        f"images, got shape {tuple(found.shape)}."
                    )
                backend.on_host(self.add, found)

    def add(self, distances: np.ndarray) -> None:
        """Adds the distances of some pairs."""
        self.total += float(np.sum(distances, dtype="float64"))
        self.pairs += len(distances)

    def compute(self) -> float:
        """The mean of all distances so far."""
        return self.total / self.pairs if self.pairs else float("nan")

    def protocol(self) -> dict[str, str]:
        """The distance; see `HostMetric`."""
        own = isinstance(self.distance, PerceptualDistance)
        return {
            "distance": in_words(self.distance),
            "is_not": "the LPIPS of the literature" + ("" if own else ", unless the distance is"),
        }

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "distance": serialized("distance", self.distance)}

    @classmethod
    def from_config(cls, config):
        """Builds the metric from `get_config()`."""
        return cls(**deserialized(config, "distance"))
