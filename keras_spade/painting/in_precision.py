"""Painting in 16 bits where the processor computes faster in them."""

from keras_spade.backends import backend
from keras_spade.networks import Generator
from keras_spade.precision import processor_has_bfloat16
from keras_spade.segmaps.modulation import on_cpu

PRECISIONS = ("auto", "float32", "mixed_bfloat16")


def in_precision(generator: Generator, precision: str = "auto") -> Generator:
    """Returns a generator that computes in a precision, for painting.

    Args:
        generator: a trained `Generator`.
        precision: a dtype policy, `"float32"` or `"mixed_bfloat16"`; or `"auto"`: bfloat16 instead
            of float32 on a CPU with instructions for it (AVX512-BF16 or AMX, which is detected on
            Linux), on TensorFlow only: on JAX and PyTorch this has not been measured. Everywhere
            else, the generator's own.

    Returns:
        The generator itself, or a copy without spectral norm if it has another policy.

    Raises:
        ValueError: for another precision.

    Example:

    >>> from keras_spade import SPADEGenerator, painting
    >>> generator = SPADEGenerator(4, (32, 64, 3), latent_dim=None, base_filters=2)
    >>> painting.in_precision(generator, "mixed_bfloat16").dtype_policy.name
    'mixed_bfloat16'
    """
    if precision not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {PRECISIONS}, got {precision!r}.")
    policy = generator.dtype_policy.name
    if precision == "auto":
        fast = backend.MULTIPLIES_BFLOAT16 and on_cpu() and processor_has_bfloat16()
        precision = "mixed_bfloat16" if fast and policy == "float32" else policy
    return generator if precision == policy else generator.fold_spectral_norm(dtype=precision)
