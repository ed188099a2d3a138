"""Whether convolutions over label maps go by patterns or by one-hot maps."""

import keras

MODULATIONS = ("auto", "patterns", "dense")
# With so many classes, one-hot maps and tables of one-hot pixels take more than they could save.
MANY_CLASSES = 2048


def check_modulation(modulation):
    """Raises unless a choice is known.

    Args:
        modulation: what was given.

    Raises:
        ValueError: for anything but `"auto"`, `"patterns"` and `"dense"`.
    """
    if modulation not in MODULATIONS:
        raise ValueError(f"`modulation` must be one of {MODULATIONS}, got {modulation!r}.")


def resolve_modulation(modulation, num_classes=None):
    """`"auto"` becomes `"dense"` where patterns have not been measured to pay.

    That is, not on a CPU, or on JAX on several devices; unless there are very many classes, whose
    one-hot map would fill the memory.

    Args:
        modulation: one of `MODULATIONS`.
        num_classes: the void class counts; `None`: float maps.
    """
    check_modulation(modulation)
    dense = modulation == "auto" and not has_many_classes(num_classes) and not _on_cpu()
    return "dense" if dense else modulation


def has_many_classes(num_classes):
    """Whether there are so many classes that nothing may be as large as their square.

    Args:
        num_classes: the void class counts; `None`: float maps.
    """
    return (num_classes or 0) > MANY_CLASSES


def compiles(modulation, num_classes):
    """Whether layers do without a search of patterns where TensorFlow compiles by XLA."""
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return on_tensorflow and modulation == "auto" and not has_many_classes(num_classes)


def _on_cpu():
    if keras.backend.backend() == "torch":
        import torch

        return not torch.cuda.is_available()
    if keras.backend.backend() == "jax":
        if keras.distribution.distribution() is not None:
            return False  # One search over the pixels of all devices would gather them.
        return all(name.startswith("cpu") for name in keras.distribution.list_devices())
    return not keras.distribution.list_devices("gpu")
