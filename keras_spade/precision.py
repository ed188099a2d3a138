"""Precision: what needs float32 whatever the dtype policy, and what processors do in 16 bits."""

import os
from pathlib import Path

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


def processor_has_bfloat16(cpuinfo: str | os.PathLike = "/proc/cpuinfo") -> bool:
    """Whether the processor has instructions that multiply in bfloat16: AVX512-BF16 or AMX.

    Args:
        cpuinfo: the file in which Linux describes processors.

    Returns:
        A bool; `False` if there is no such file, as on other systems.
    """
    try:
        lines = Path(cpuinfo).read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = {flag for line in lines if line.startswith("flags") for flag in line.split()}
    return not flags.isdisjoint({"avx512_bf16", "amx_bf16"})
