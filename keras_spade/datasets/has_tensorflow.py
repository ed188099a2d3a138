"""Whether TensorFlow is installed."""


def has_tensorflow() -> bool:
    """Whether TensorFlow can be imported; imports it if so."""
    try:
        import tensorflow  # noqa: F401
    except ImportError:
        return False
    return True


def need_tensorflow(function: str, instead: str) -> None:
    """Raises if TensorFlow is not installed.

    Args:
        function: the name of the function that needs it.
        instead: what to do without it.

    Raises:
        ImportError: if it cannot be imported.
    """
    if not has_tensorflow():
        raise ImportError(
            f"{function} needs TensorFlow, which is not installed: pip install tensorflow, or "
            f"{instead}"
        )
