"""Whether convolutions over label maps go by patterns or by one-hot maps."""

import keras

MODULATIONS = ("auto", "patterns", "dense")


def check_modulation(modulation):
    """Raises unless `modulation` is known, and possible on this backend."""
    if modulation not in MODULATIONS:
        raise ValueError(f"`modulation` must be one of {MODULATIONS}, got {modulation!r}.")
    if modulation == "patterns" and keras.backend.backend() == "jax":
        raise ValueError(
            '`modulation="patterns"` needs shapes that depend on data, which JAX has not; use '
            '"auto" or "dense".'
        )


def resolve_modulation(modulation):
    """`"auto"` becomes `"dense"` where patterns cannot be used or have not been measured to pay.

    That is on JAX, and where TensorFlow or PyTorch see a GPU.
    """
    check_modulation(modulation)
    return "dense" if modulation == "auto" and not _on_cpu() else modulation


def _on_cpu():
    if keras.backend.backend() == "tensorflow":
        return not keras.distribution.list_devices("gpu")
    if keras.backend.backend() == "torch":
        import torch

        return not torch.cuda.is_available()
    return False
