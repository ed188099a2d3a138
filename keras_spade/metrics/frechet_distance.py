"""The Frechet distance of features: like FID, with features of your choice."""

from collections.abc import Callable

import keras
import numpy as np

from keras_spade.metrics.feature_metric import FeatureMetric
from keras_spade.metrics.mean_and_covariance import MeanAndCovariance


@keras.saving.register_keras_serializable(package="keras_spade")
class FrechetDistance(FeatureMetric):
    """Frechet distance of two normal distributions, fitted to features of real and painted images.

    `|m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2))`, with means `m` and covariances `C` (with
    denominator `n - 1`) of all images since the last `reset_state()`.

    **This is the FID of the literature only if `features` are those of its Inception-v3, which this
    package does not include.** With other features, the numbers compare models with one another
    under the same protocol, but cannot be compared with FIDs. For FID, write PNGs and use
    torch-fidelity: `docs/evaluation.md`.

    The distance is biased upwards for few images, and more so with more features: only compare
    equal numbers of images. `KernelDistance` has no such bias.

    Args:
        features: function of uint8 images `(batch, H, W, channels)` that returns `(batch, D)`,
            `VGG16Features` for example.
        name: of the metric.
        dtype: of the result. Sums are float64.

    Call arguments:
        real: uint8 `(batch, H, W, channels)`: photographs.
        fake: the same: painted pictures. The two may differ in size and number.

    Returns:
        A scalar of at least 0; NaN with fewer than two images of each.

    Raises:
        ValueError: if `features` is not a function, or does not return `(batch, D)`.

    Example:

    >>> import numpy as np
    >>> from keras_spade.metrics import FrechetDistance
    >>> def colour(images):  # The mean colour of each image.
    ...     return np.mean(images, axis=(1, 2), dtype="float32")
    >>> metric = FrechetDistance(colour)
    >>> real = np.random.default_rng(0).integers(0, 200, (8, 16, 16, 3)).astype("uint8")
    >>> metric.update_state(real, real + np.uint8(5))  # All means move by 5.
    >>> round(float(metric.result()), 3)
    75.0

    Reference: Heusel et al. 2017 (arXiv 1706.08500), equation 6; Park et al. 2019 (arXiv
    1903.07291), section 4, "Performance metrics".
    """

    of_the_literature = "FID"

    def __init__(
        self, features: Callable, name: str = "frechet_distance", dtype: str | None = None
    ):
        super().__init__(features, name, dtype)

    def clear(self) -> None:
        """Forgets all images."""
        self.real, self.fake = MeanAndCovariance(), MeanAndCovariance()

    def add(self, real: np.ndarray, fake: np.ndarray) -> None:
        """Adds features of both sets."""
        self.real.add(real)
        self.fake.add(fake)

    def compute(self) -> float:
        """The distance between all features so far."""
        if min(self.real.count, self.fake.count) < 2:
            return float("nan")
        covariances = self.real.covariance, self.fake.covariance
        if not all(np.isfinite(covariance).all() for covariance in covariances):
            return float("nan")
        # The trace of (C1 C2)^(1/2) is the sum of the singular values of R1 R2^T, C = R^T R. This
        # is exact for singular covariances, with fewer images than features; the square root
        # of a singular product is not.
        first, second = map(_root, covariances)
        common = np.linalg.svd(first @ second.T, compute_uv=False).sum()
        traces = sum(np.trace(covariance) for covariance in covariances)
        shift = self.real.mean - self.fake.mean
        return max(0.0, float(shift @ shift + traces - 2 * common))


def _root(covariance):
    """`R` of full rank with `R^T R` the covariance, without directions of rounding noise."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > len(values) * np.finfo("float64").eps * values[-1]
    return np.sqrt(values[kept])[:, None] * vectors[:, kept].T
