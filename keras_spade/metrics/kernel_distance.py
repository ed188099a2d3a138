"""The kernel distance of features: like KID, with features of your choice."""

from collections.abc import Callable

import keras
import numpy as np

from keras_spade.metrics.feature_metric import FeatureMetric

ROWS = 1024  # Rows of the kernel matrix computed at a time.


@keras.saving.register_keras_serializable(package="keras_spade")
class KernelDistance(FeatureMetric):
    """Unbiased squared maximum mean discrepancy between features of real and painted images.

    `mean k(x, x') + mean k(y, y') - 2 mean k(x, y)` with `k(x, y) = (x y / D + 1)^3`, over all
    pairs of different images. Its expectation does not depend on the number of images, and
    is 0 for equal distributions; so it may be slightly negative.

    **This is the KID of the literature only if `features` are those of its Inception-v3, which this
    package does not include.** For KID, write PNGs and use torch-fidelity: `docs/evaluation.md`.
    (KID is often a mean over random subsets of 1000; here all pairs count, and nothing is random.)

    The features of all images are kept until `reset_state()`: 10 MB for 5,000 images with 512
    features each.

    Args:
        features: function of uint8 images `(batch, H, W, channels)` that returns `(batch, D)`,
            `VGG16Features` for example.
        name: of the metric.
        dtype: of the result. Sums are float64.

    Call arguments:
        real: uint8 `(batch, H, W, channels)`: photographs.
        fake: the same: painted pictures. The two may differ in size and number.

    Returns:
        A scalar; NaN with fewer than two images of each.

    Raises:
        ValueError: if `features` is not a function, or does not return `(batch, D)`.

    Example:

    >>> import numpy as np
    >>> from keras_spade.metrics import KernelDistance
    >>> metric = KernelDistance(lambda images: np.mean(images, axis=(1, 2), dtype="float32") / 255)
    >>> dark, bright = np.zeros((4, 8, 8, 3), "uint8"), np.full((4, 8, 8, 3), 255, "uint8")
    >>> metric.update_state(dark, bright)
    >>> float(metric.result())  # 1 + (1 + 1)^3 - 2 * 1
    7.0

    Reference: Binkowski et al. 2018 (arXiv 1801.01401), section 4; Gretton et al. 2012, equation 3.
    """

    of_the_literature = "KID"

    def __init__(self, features: Callable, name: str = "kernel_distance", dtype: str | None = None):
        super().__init__(features, name, dtype)

    def clear(self) -> None:
        """Forgets all images."""
        self.real, self.fake = [], []

    def add(self, real: np.ndarray, fake: np.ndarray) -> None:
        """Adds features of both sets."""
        self.real.append(np.array(real))
        self.fake.append(np.array(fake))

    def compute(self) -> float:
        """The distance between all features so far."""
        real, fake = (
            np.concatenate(batches).astype("float64") if batches else np.empty((0, 1))
            for batches in (self.real, self.fake)
        )
        if min(len(real), len(fake)) < 2:
            return float("nan")
        within = 0.0
        for vectors in (real, fake):
            itself = np.sum(_kernel(np.sum(vectors * vectors, axis=1), vectors.shape[1]))
            count = len(vectors)
            within += (_sum(vectors, vectors) - itself) / (count * (count - 1))
        return float(within - 2 * _sum(real, fake) / (len(real) * len(fake)))


def _kernel(products, dimensions):
    return (products / dimensions + 1) ** 3


def _sum(first, second):
    """The sum of the kernels of all pairs."""
    parts = (first[i : i + ROWS] for i in range(0, len(first), ROWS))
    return sum(np.sum(_kernel(part @ second.T, second.shape[1])) for part in parts)
