"""Whether convolutions over label maps use patterns or one-hot maps."""

import os

import keras

MODULATIONS = ("auto", "patterns", "dense")
# Above this number of classes, one-hot maps and tables of one-hot pixels are too large.
MANY_CLASSES = 2048


def check_modulation(modulation: str) -> None:
    """Raises unless `modulation` is a known choice.

    Args:
        modulation: the value to check.

    Raises:
        ValueError: for any value other than `"auto"`, `"patterns"` and `"dense"`.
    """
    if modulation not in MODULATIONS:
        raise ValueError(f"`modulation` must be one of {MODULATIONS}, got {modulation!r}.")


def resolve_modulation(modulation: str, num_classes: int | None = None) -> str:
    """Turns `"auto"` into `"dense"` where patterns have not been shown to be faster.

    That is the case except on a CPU, and on JAX with several devices. It does not apply to very
    many classes, whose one-hot map would fill the memory.

    Args:
        modulation: one of `MODULATIONS`.
        num_classes: number of classes, including the void class; `None` for float maps.
    """
    check_modulation(modulation)
    dense = modulation == "auto" and not has_many_classes(num_classes) and not on_cpu()
    return "dense" if dense else modulation


def has_many_classes(num_classes: int | None) -> bool:
    """Whether there are too many classes for a table whose size is their square.

    Args:
        num_classes: number of classes, including the void class; `None` for float maps.
    """
    return (num_classes or 0) > MANY_CLASSES


def compiles(modulation: str, num_classes: int | None) -> bool:
    """Whether layers omit the search for patterns when TensorFlow compiles with XLA."""
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return on_tensorflow and modulation == "auto" and not has_many_classes(num_classes)


def on_cpu() -> bool:
    """Whether networks compute on a CPU; on JAX, in one process of one device."""
    if keras.backend.backend() == "torch":
        return _torch_computes_on_cpu()
    if keras.backend.backend() == "jax":
        if keras.distribution.distribution() is not None:
            return False  # A search over all pixels would gather them on one device.
        return all(name.startswith("cpu") for name in keras.distribution.list_devices())
    return not keras.distribution.list_devices("gpu")


def _torch_computes_on_cpu():
    """Whether Keras chooses a CPU; a symbolic call has no device that could be asked."""
    import torch

    if "KERAS_TORCH_DEVICE" in os.environ:
        return os.environ["KERAS_TORCH_DEVICE"].startswith("cpu")
    accelerators = (torch.backends.mps, torch.cuda, getattr(torch, "xpu", None))
    return not any(found is not None and found.is_available() for found in accelerators)
