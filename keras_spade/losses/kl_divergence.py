"""The Kullback-Leibler term of the style encoder."""

from keras import ops

from keras_spade.tensor import Tensor


def kl_divergence(mean: Tensor, log_variance: Tensor, reduction: str = "sum") -> Tensor:
    """Divergence of `N(mean, exp(log_variance))` from the standard normal.

    `-0.5 * sum(1 + log_variance - mean^2 - exp(log_variance))`

    Args:
        mean: `(batch, latent_dim)`.
        log_variance: `(batch, latent_dim)`.
        reduction: `"sum"` over batch and latent, as in the reference implementation (it grows with
            the batch size), or `"mean"`: the sum divided by the batch size.

    Returns:
        A scalar.

    Raises:
        ValueError: for another reduction.

    Example:

    >>> import numpy as np
    >>> from keras_spade.losses import kl_divergence
    >>> float(kl_divergence(np.ones((2, 4), "float32"), np.zeros((2, 4), "float32")))
    4.0

    Reference: Kingma and Welling 2014, appendix B; Park et al. 2019 (arXiv 1903.07291), section 3.
    """
    if reduction not in ("sum", "mean"):
        raise ValueError(f'`reduction` must be "sum" or "mean", got {reduction!r}.')
    mean, log_variance = ops.convert_to_tensor(mean), ops.convert_to_tensor(log_variance)
    terms = 1.0 + log_variance - ops.square(mean) - ops.exp(log_variance)
    total = -0.5 * ops.sum(terms)
    if reduction == "mean":
        total = total / ops.cast(ops.shape(mean)[0], total.dtype)
    return total
