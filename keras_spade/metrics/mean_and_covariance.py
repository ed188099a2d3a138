"""Mean and covariance of vectors in batches."""

import numpy as np


class MeanAndCovariance:
    """Running mean and covariance in float64, the same for every split into batches.

    Batches are merged by Chan's formula, which avoids subtracting large numbers from each other.

    Reference: Chan, Golub, LeVeque 1983, "Algorithms for Computing the Sample Variance".
    """

    def __init__(self):
        self.count = 0
        self.mean = 0.0
        self.scatter = 0.0

    def add(self, vectors: np.ndarray) -> None:
        """Adds vectors.

        Args:
            vectors: `(batch, D)`.
        """
        if not len(vectors):
            return
        vectors = np.asarray(vectors, "float64")
        mean = vectors.mean(axis=0)
        centred = vectors - mean
        total = self.count + len(vectors)
        shift = mean - self.mean
        weight = self.count * len(vectors) / total
        self.scatter = self.scatter + centred.T @ centred + weight * np.outer(shift, shift)
        self.mean = self.mean + shift * len(vectors) / total
        self.count = total

    @property
    def covariance(self) -> np.ndarray:
        """The covariance matrix `(D, D)`, with denominator `n - 1`."""
        return self.scatter / (self.count - 1)
