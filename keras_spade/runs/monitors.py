"""Checks of the values that callbacks monitor: losses, lower being better, and metrics."""

import string
from collections.abc import Mapping, Sequence

import keras

from keras_spade.callbacks import EvaluateMetrics, RunPage

SIDES = ("generator/", "discriminator/")
MONITORING = (
    *(
        getattr(keras.callbacks, name)
        for name in ("EarlyStopping", "ModelCheckpoint", "OrbaxCheckpoint", "ReduceLROnPlateau")
        if hasattr(keras.callbacks, name)
    ),
    RunPage,
)
# Callbacks that record all logs of an epoch, except those of later callbacks.
LOGGING = (
    keras.callbacks.CSVLogger,
    keras.callbacks.TensorBoard,
    keras.callbacks.RemoteMonitor,
    RunPage,
)


def check_monitors(
    callbacks: Sequence, losses: Sequence[str], validates: bool, averages: bool
) -> None:
    """Raises for callbacks that monitor a number that no epoch will log, or in no known direction.

    Sets the direction of `EarlyStopping` and others that monitor a loss of the model, or a result
    of an `EvaluateMetrics` before them, with `mode="auto"`: Keras determines it only for metrics
    of `compile`. Gives `RunPage` the `EvaluateMetrics` before it, whose protocols it shows.

    A name that does not belong to the model may be logged by a user's callback earlier in the
    list. Its direction is unknown, so it needs a `mode`; Keras would say so after the first epoch.

    Args:
        callbacks: of `fit`.
        losses: the names of the model's losses.
        validates: whether `fit` validates.
        averages: whether the generator's optimizer keeps averages of the weights.

    Raises:
        ValueError: naming the callback, and the names it can monitor.
    """
    results, evaluations, swapped = {}, [], False
    for place, callback in enumerate(callbacks):
        at_epochs = getattr(callback, "save_freq", "epoch") == "epoch"
        modes = dict.fromkeys(losses, "min")
        if at_epochs:
            modes |= {f"val_{name}": "min" for name in losses if validates} | results
        later = _results(callbacks[place + 1 :])
        _check_order(callback, later)
        others = any(map(_may_log, callbacks[: place + 1]))
        awaited = _awaited(callback)
        for name in awaited:
            if name not in modes and not (others and not _is_of_the_model(name, losses)):
                raise ValueError(_message(callback, name, list(modes)))
        if getattr(callback, "monitor", None) in awaited and callback.mode == "auto":
            callback.mode = _mode(callback, modes)
        if isinstance(callback, RunPage):
            callback.evaluations = evaluations
        if isinstance(callback, keras.callbacks.ModelCheckpoint):
            _check_file(callback)
        if averages and not swapped:
            _check_weights(callback, results)
        swapped |= getattr(callback, "swap_on_epoch", False)
        if isinstance(callback, EvaluateMetrics):
            twice = sorted(set(callback.directions) & set(results))
            if twice:
                raise ValueError(
                    f"`callbacks`: two EvaluateMetrics log {twice[0]!r}; give the metric of one of "
                    "them another `name`. If the name is a key of its results, pass both metrics "
                    "to one EvaluateMetrics, which prefixes their names."
                )
            results |= callback.directions
            evaluations = [*evaluations, callback]


def _results(callbacks) -> Mapping[str, str]:
    """The names that `EvaluateMetrics` among some callbacks log."""
    found = [c.directions for c in callbacks if isinstance(c, EvaluateMetrics)]
    return {name: mode for directions in found for name, mode in directions.items()}


def _check_order(callback, later):
    """Raises if a callback comes before the `EvaluateMetrics` whose results it needs."""
    missed = [name for name in _awaited(callback) if name in later]
    of_wandb = type(callback).__module__.startswith("wandb.")
    if not missed and later and (of_wandb or isinstance(callback, LOGGING)):
        missed = list(later)
    if missed:
        kind = type(callback).__name__
        raise ValueError(
            f"`callbacks`: {kind} comes before the EvaluateMetrics that logs {missed[0]!r}, and "
            "would not see it: `fit` calls callbacks in the order of the list. Put EvaluateMetrics "
            f"before {kind}."
        )


def _mode(callback, modes):
    """The better direction of the number that a callback monitors, for Keras."""
    kind, monitor = type(callback).__name__, callback.monitor
    mode = modes.get(monitor)
    if mode is None:
        given = f"{kind}(mode=...)"
        if monitor in modes:
            given = f"EvaluateMetrics(directions={{{monitor.removeprefix('val_')!r}: ...}})"
        raise ValueError(
            f"`callbacks`: {kind} monitors {monitor!r}, whose better direction is unknown. Pass "
            f'{given}, "min" or "max".'
        )
    return mode


def _awaited(callback):
    """The names that a callback reads from the logs."""
    names = ["loss"] if isinstance(callback, keras.callbacks.TerminateOnNaN) else []
    if isinstance(callback, MONITORING):
        # A checkpoint that always saves has "val_loss" by default, and ignores it.
        idle = not getattr(callback, "save_best_only", True)
        idle = idle and callback.monitor in ("loss", "val_loss")
        names += [] if idle or callback.monitor is None else [callback.monitor]
    if isinstance(callback, keras.callbacks.ModelCheckpoint):
        fields = [field for _, field, *_ in string.Formatter().parse(callback.filepath)]
        names += [field for field in fields if field not in (None, "epoch", "batch")]
    return names


def _may_log(callback):
    """Whether a callback may add numbers to the logs: one from neither Keras nor this package."""
    if isinstance(callback, keras.callbacks.LambdaCallback):
        return True
    return not type(callback).__module__.startswith(("keras.", "keras_spade."))


def _is_of_the_model(name, losses):
    """Whether a name can only refer to a loss of the model."""
    name = name.removeprefix("val_")
    ends = {loss.rpartition("/")[2] for loss in losses}
    return name == "loss" or name.startswith(SIDES) or name in ends


def _message(callback, name, known):
    kind = type(callback).__name__
    if isinstance(callback, keras.callbacks.TerminateOnNaN):
        return (
            f"`callbacks`: {kind} waits for 'loss', which a GauGAN lacks. `fit` skips steps that "
            "are not finite, and stops after `compile(max_skipped_steps=...)` of them in a row; "
            f"omit {kind}."
        )
    if name.removeprefix("val_") in known:
        reason = "is only logged with `validation_data` or `validation_split`"
    else:
        reason = "is not a loss of the model"
    return (
        f"`callbacks`: {kind} waits for {name!r}, which {reason}. (There is no total loss: the two "
        f"sides of a GAN work against each other.) Use one of {', '.join(map(repr, known))}, or "
        "a name that an earlier callback in the list adds to the `logs` in its "
        "`on_epoch_end`: EvaluateMetrics, or one of your own."
    )


def _check_weights(callback, results):
    """Raises if a callback would keep weights other than those that were evaluated."""
    keeps = ("save_best_only", "restore_best_weights")
    keeps = [name for name in keeps if getattr(callback, name, False)]
    if keeps and isinstance(callback, MONITORING) and callback.monitor in results:
        kind = type(callback).__name__
        raise ValueError(
            f"`callbacks`: {kind}({keeps[0]}=True) monitors {callback.monitor!r}, which "
            "EvaluateMetrics computes with the averages of the weights (`use_ema=True`), but it "
            "would keep the weights themselves. Put "
            f"keras.callbacks.SwapEMAWeights(swap_on_epoch=True) before {kind}, or make the "
            "generator's optimizer without `use_ema`."
        )


def _check_file(callback):
    if callback.filepath.endswith(".h5") and not callback.save_weights_only:
        raise ValueError(
            f"`callbacks`: ModelCheckpoint({callback.filepath!r}): a whole model is saved as "
            "`.keras` only; for the weights alone pass `save_weights_only=True` and a path that "
            "ends in `.weights.h5`."
        )
