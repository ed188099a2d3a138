"""Whether convolutions over label maps go by patterns or by one-hot maps."""

import keras

MODULATIONS = ("auto", "patterns", "dense")


def check_modulation(modulation):
    """Raises unless a choice is known.

    Args:
        modulation: what was given.

    Raises:
        ValueError: for anything but `"auto"`, `"patterns"` and `"dense"`.
    """
    if modulation not in MODULATIONS:
        raise ValueError(f"`modulation` must be one of {MODULATIONS}, got {modulation!r}.")


def resolve_modulation(modulation):
    """`"auto"` becomes `"dense"` where patterns have not been measured to pay.

    That is, not on a CPU, or on JAX on several devices.
    """
    check_modulation(modulation)
    return "dense" if modulation == "auto" and not _on_cpu() else modulation


def _on_cpu():
    if keras.backend.backend() == "torch":
        import torch

        return not torch.cuda.is_available()
    if keras.backend.backend() == "jax":
        if keras.distribution.distribution() is not None:
            return False  # One search over the pixels of all devices would gather them.
        return all(name.startswith("cpu") for name in keras.distribution.list_devices())
    return not keras.distribution.list_devices("gpu")
