"""Computing statistics, norms and losses in float32 or wider, whatever the dtype policy."""

import keras
from keras import ops

from keras_spade.tensor import Tensor


def full_precision_dtype(dtype: str) -> str:
    """Returns the dtype itself if it is float32 or wider, else float32.

    Args:
        dtype: the name of a dtype.

    Returns:
        The name of a dtype.
    """
    # Keras' type promotion lacks float64 on JAX and PyTorch.
    return dtype if dtype == "float64" else keras.backend.result_type(dtype, "float32")


def full_precision(x: Tensor) -> Tensor:
    """Casts a tensor to float32, unless it is wider.

    Args:
        x: a tensor or variable.

    Returns:
        A tensor.
    """
    return ops.cast(x, full_precision_dtype(keras.backend.standardize_dtype(x.dtype)))
