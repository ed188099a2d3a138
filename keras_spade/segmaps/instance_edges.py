"""Borders between object instances, the extra input channel of the paper's section 3."""

from keras import ops

from keras_spade.tensor import Tensor


def instance_edges(instances: Tensor) -> Tensor:
    """Marks the pixels whose instance id differs from a left, right, upper or lower neighbour.

    Both sides of a border are marked. The image border is not an edge, and diagonal neighbours do
    not count.

    Args:
        instances: any 32-bit integer ids, `(batch, H, W)`.

    Returns:
        float32 `(batch, H, W)` of 0 and 1.

    Raises:
        ValueError: if `instances` does not have 3 axes.

    Example:

    >>> import numpy as np
    >>> from keras_spade.layers import instance_edges
    >>> np.array(instance_edges(np.array([[[7, 7, 9, 9]]])))[0, 0].tolist()
    [0.0, 1.0, 1.0, 0.0]

    Reference: Wang et al. 2018 (pix2pixHD, arXiv 1711.11585), section 3.3.
    """
    if len(instances.shape) != 3:
        raise ValueError(
            f"`instances` must have shape (batch, H, W), got {tuple(instances.shape)}."
        )
    instances = ops.convert_to_tensor(instances)
    horizontal = ops.not_equal(instances[:, :, 1:], instances[:, :, :-1])
    vertical = ops.not_equal(instances[:, 1:, :], instances[:, :-1, :])
    horizontal = ops.cast(horizontal, "float32")
    vertical = ops.cast(vertical, "float32")
    left, right = [[0, 0], [0, 0], [1, 0]], [[0, 0], [0, 0], [0, 1]]
    above, below = [[0, 0], [1, 0], [0, 0]], [[0, 0], [0, 1], [0, 0]]
    horizontal = ops.maximum(ops.pad(horizontal, left), ops.pad(horizontal, right))
    vertical = ops.maximum(ops.pad(vertical, above), ops.pad(vertical, below))
    return ops.maximum(horizontal, vertical)
