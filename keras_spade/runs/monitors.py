"""What callbacks monitor: losses that exist, of which less is better."""

import string
from collections.abc import Sequence

import keras

SIDES = ("generator/", "discriminator/")
MONITORING = tuple(
    getattr(keras.callbacks, name)
    for name in ("EarlyStopping", "ModelCheckpoint", "OrbaxCheckpoint", "ReduceLROnPlateau")
    if hasattr(keras.callbacks, name)
)


def check_monitors(callbacks: Sequence, losses: Sequence[str], validates: bool) -> None:
    """Raises for callbacks that wait for a number which no epoch will have.

    `EarlyStopping` and others that monitor a loss of the model with `mode="auto"` are told that
    less is better: Keras finds that out for metrics of `compile` only.

    A name that is none of the model's may be that of a number which a callback of the user's logs,
    one that stands before it in the list.

    Args:
        callbacks: of `fit`.
        losses: the names of the model's losses.
        validates: whether `fit` validates.

    Raises:
        ValueError: naming the callback, and what it can monitor.
    """
    for place, callback in enumerate(callbacks):
        validated = validates and getattr(callback, "save_freq", "epoch") == "epoch"
        known = [*losses, *(f"val_{name}" for name in losses if validated)]
        others = any(map(_may_log, callbacks[: place + 1]))
        for name in _awaited(callback):
            if name not in known and not (others and not _is_of_the_model(name, losses)):
                raise ValueError(_message(callback, name, known))
        if isinstance(callback, MONITORING):
            if callback.monitor in known and callback.mode == "auto":
                callback.mode = "min"
        if isinstance(callback, keras.callbacks.ModelCheckpoint):
            _check_file(callback)


def _awaited(callback):
    """The names that a callback looks for in the logs."""
    names = ["loss"] if isinstance(callback, keras.callbacks.TerminateOnNaN) else []
    if isinstance(callback, MONITORING):
        # A checkpoint that is to save always has "val_loss" by default, and does not look at it.
        idle = not getattr(callback, "save_best_only", True)
        names += [] if idle and callback.monitor in ("loss", "val_loss") else [callback.monitor]
    if isinstance(callback, keras.callbacks.ModelCheckpoint):
        fields = [field for _, field, *_ in string.Formatter().parse(callback.filepath)]
        names += [field for field in fields if field not in (None, "epoch", "batch")]
    return names


def _may_log(callback):
    """Whether a callback may put numbers into the logs: it is not Keras' or of this package."""
    if isinstance(callback, keras.callbacks.LambdaCallback):
        return True
    return not type(callback).__module__.startswith(("keras.", "keras_spade."))


def _is_of_the_model(name, losses):
    """Whether a name can only be meant for a loss of the model."""
    name = name.removeprefix("val_")
    ends = {loss.rpartition("/")[2] for loss in losses}
    return name == "loss" or name.startswith(SIDES) or name in ends


def _message(callback, name, known):
    kind = type(callback).__name__
    if isinstance(callback, keras.callbacks.TerminateOnNaN):
        return (
            f"`callbacks`: {kind} waits for 'loss', which a GauGAN has not. `fit` skips steps that "
            "are not finite, and stops after `compile(max_skipped_steps=...)` of them in a row; "
            f"leave {kind} away."
        )
    if name.removeprefix("val_") in known:
        reason = "is there at the end of epochs with `validation_data` or `validation_split` only"
    else:
        reason = "is no loss of the model"
    return (
        f"`callbacks`: {kind} waits for {name!r}, which {reason}. (There is no total loss: the two "
        f"sides of a GAN work against each other.) Give one of {', '.join(map(repr, known))}, or "
        "the name of what a callback of your own, before it in the list, puts into the `logs` of "
        "its `on_epoch_end`."
    )


def _check_file(callback):
    if callback.filepath.endswith(".h5") and not callback.save_weights_only:
        raise ValueError(
            f"`callbacks`: ModelCheckpoint({callback.filepath!r}): a whole model is saved as "
            "`.keras` only; for the weights alone give `save_weights_only=True` and a path that "
            "ends in `.weights.h5`."
        )
