"""Metrics of what is painted, among the numbers that an epoch logs."""

import inspect
import itertools
import math
from collections import Counter
from collections.abc import Iterator

import keras
import numpy as np

from keras_spade.arguments import positive_integer
from keras_spade.callbacks.paint import batches_of, map_of, paint, with_averages
from keras_spade.images import check_images, to_bytes

# Keras' name of a direction -> the `mode` of its callbacks.
MODES = {"up": "max", "down": "min"}


class EvaluateMetrics(keras.callbacks.Callback):
    """Paints validation data every few epochs and logs what metrics say of the pictures.

    A result `kernel_distance` is logged as `val_kernel_distance`. The callbacks that stand after
    this one in the list see it: `ModelCheckpoint(save_best_only=True)`, `EarlyStopping` and
    `ReduceLROnPlateau`, which need no `mode`, `CSVLogger`, `TensorBoard` and others. `fit` refuses
    a list in which one of these stands before. The history and the progress bar show it anyway.

    The metrics are evaluated after every `every`-th epoch, after the last one, and after the first
    one of a training without values. Every other epoch logs the last values again. (Without a
    value, `ModelCheckpoint` would take the epoch for the best, and `EarlyStopping` warn.) So
    `patience` counts epochs, not evaluations. A training that goes on from a backup goes on with
    the values it had. What is not a number is logged as the worst there is, as Keras' callbacks
    would take it for the best and keep it.

    What is painted has the averages of the weights, if the generator's optimizer keeps any, and
    the latents of a seed, the same each time. On several workers all paint, so that all know when
    to stop; make metrics outside of `strategy.scope()`.

    Args:
        data: validation data: a dataset or list of batches as `fit` takes them, or a dict of arrays
            of all samples. Of datasets of `keras_spade.datasets`, the first epoch is seen each
            time.
        metrics: a `keras.Metric`, or a list of them: those of `keras_spade.metrics`, or your own.
            Each is given what the arguments of its `update_state` name: `real` (or `y_true`), the
            photographs; `fake`, `images` (or `y_pred`), what was painted, all uint8
            `(batch, H, W, channels)`; `labels`, integer ids `(batch, H, W)`. One that takes
            `images` alone, as `Diversity`, is given paintings of several latents,
            `(batch, latents, H, W, channels)`. Its `result` is a number, logged under its name, or
            a dict; asked without samples, it has the same names. Where dicts of two metrics share
            a key, all keys of both are logged behind the name of their metric.
        every: epochs between evaluations.
        directions: dict name of a result -> `"min"` or `"max"`, which is better. Those of
            `keras_spade.metrics` are known.
        steps: how many batches are painted; `None`: all.
        use_style: with an encoder, take the style of each sample's own photograph.
        latents: how many latents a metric of `images` alone sees of each map, at least 2.
        batch_size: of `data` that are a dict of arrays.
        seed: of the latents.

    Raises:
        ValueError: for metrics that ask for something else, or log the same name; from `fit`, if a
            callback that needs a value stands before this one; for images that are neither uint8
            nor in [-1, 1].

    Example:

    >>> import keras, numpy as np
    >>> from keras_spade.callbacks import EvaluateMetrics
    >>> data = {"labels": np.zeros((2, 32, 32), int), "image": np.zeros((2, 32, 32, 3))}
    >>> metric = keras.metrics.MeanAbsoluteError(name="difference")
    >>> evaluate = EvaluateMetrics(data, metric, every=5, directions={"difference": "min"})
    >>> best = keras.callbacks.ModelCheckpoint(
    ...     "best.keras", monitor="val_difference", save_best_only=True
    ... )  # gan.fit(..., callbacks=[evaluate, best])
    """

    def __init__(
        self,
        data,
        metrics,
        every=1,
        directions=None,
        steps=None,
        use_style=False,
        latents=4,
        batch_size=8,
        seed=0,
    ):
        super().__init__()
        if isinstance(data, Iterator):
            raise ValueError(
                "`data` can be gone through once; give a dataset, or a list of batches."
            )
        # TensorFlow's word for it is -1.
        if steps is None and hasattr(data, "cardinality") and int(data.cardinality()) == -1:
            raise ValueError("`data` has no end; give `steps`.")
        self.data = data
        self.metrics = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
        self.every = positive_integer("`every`", every)
        self.steps = steps if steps is None else positive_integer("`steps`", steps)
        self.use_style = use_style
        self.latents = positive_integer("`latents`", latents)
        self.batch_size = positive_integer("`batch_size`", batch_size)
        self.seed = seed
        self.directions = _directions(self.metrics, directions or {})
        self._asks = [_asks(metric) for metric in self.metrics]

    def on_epoch_end(self, epoch, logs=None):
        """Adds the results to the logs of the epoch, which later callbacks see."""
        due = (epoch + 1) % self.every == 0 or epoch + 1 == self.params["epochs"]
        history = self.model.history.history
        known = all(history.get(name) for name in self.directions)
        if due or not known or self.model.stop_training:
            results = self.evaluate(self.model)
            logs.update({f"val_{k}": self._or_the_worst(k, v) for k, v in results.items()})
        else:
            logs.update({name: history[name][-1] for name in self.directions})

    def evaluate(self, model) -> dict[str, float]:
        """Paints the data and asks the metrics.

        Args:
            model: a `GauGAN`.

        Returns:
            The results by name, without `val_`.
        """
        for metric in self.metrics:
            metric.reset_state()
        batches = itertools.islice(batches_of(self.data, self.batch_size), self.steps)
        with with_averages(model):
            number = -1
            for number, batch in enumerate(batches):
                self._update(batch, self._seen(model, batch, self.seed + number * self.latents))
        if number < 0:
            raise ValueError("`data` is empty.")
        found = _results(self.metrics)
        return {k: float(keras.ops.convert_to_numpy(v)) for k, (v, _) in found.items()}

    def _update(self, batch, seen):
        for metric, asks in zip(self.metrics, self._asks, strict=True):
            missing = [given for given in asks.values() if seen[given] is None]
            if missing:
                raise ValueError(
                    f"`data`: {type(metric).__name__} needs {missing[0]!r}; a batch holds "
                    f"{list(batch)}."
                )
            metric.update_state(**{name: seen[given] for name, given in asks.items()})

    def _seen(self, model, batch, seed):
        """What metrics can ask for."""
        if map_of(batch) is None:
            raise ValueError(f"`data`: a batch holds no 'labels' (or 'segmap'), but {list(batch)}.")
        painted = paint(model, batch, use_style=self.use_style, seed=seed)
        real = painted.real
        if real is not None:
            check_images("image", real)
            real = real if real.dtype == np.uint8 else to_bytes(real)
        labels = painted.labels if painted.labels.ndim == 3 else None
        seen = {"image": real, "labels": labels, "painted": painted.images}
        if {"images": "pictures"} in self._asks:
            if model.generator.latent_dim is None:
                raise ValueError(
                    "`metrics`: one of `images` alone compares paintings of several latents; the "
                    "generator has no latent (latent_dim=None)."
                )
            seeds = range(seed, seed + self.latents)
            pictures = [paint(model, batch, seed=number).images for number in seeds]
            seen["pictures"] = np.stack(pictures, axis=1)
        return seen

    def _or_the_worst(self, name, value):
        if not math.isnan(value):
            return value
        return -math.inf if self.directions.get(f"val_{name}") == "max" else math.inf


# What arguments of `update_state` are given.
GIVEN = {
    "real": "image",
    "y_true": "image",
    "fake": "painted",
    "y_pred": "painted",
    "images": "painted",
    "labels": "labels",
}


def _asks(metric):
    """The arguments of a metric's `update_state`, and what each is given."""
    parameters = inspect.signature(metric.update_state).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    unknown = [name for name in needed if name not in GIVEN]
    if unknown or not needed:
        raise ValueError(
            f"`metrics`: {type(metric).__name__}.update_state({', '.join(needed)}): its arguments "
            f"must be some of {', '.join(GIVEN)}."
        )
    return {"images": "pictures"} if needed == ["images"] else {k: GIVEN[k] for k in needed}


def _directions(metrics, given):
    """The names that will be logged, and of each which is better, or `None`."""
    found = {
        f"val_{name}": MODES.get(getattr(metric, "_direction", None))
        for name, (_, metric) in _results(metrics).items()
    }
    for name, mode in given.items():
        if f"val_{name}" not in found or mode not in MODES.values():
            known = ", ".join(logged.removeprefix("val_") for logged in found)
            raise ValueError(
                f'`directions` must be "min" or "max" for some of {known}, got '
                f"{mode!r} for {name!r}."
            )
        found[f"val_{name}"] = mode
    return found


def _results(metrics):
    """The results of metrics, each with its metric, by name.

    Of dicts that share a key, the names of the metrics stand before all their keys.
    """
    results = [(metric, metric.result()) for metric in metrics]
    keys = Counter(k for m, r in results for k in (r if isinstance(r, dict) else [m.name]))
    found = {}
    for metric, result in results:
        if not isinstance(result, dict):
            result = {metric.name: result}
        elif any(keys[key] > 1 for key in result):
            result = {f"{metric.name}_{key}": value for key, value in result.items()}
        for name, value in result.items():
            if name in found:
                raise ValueError(
                    f"`metrics`: two of them log 'val_{name}'; give one of them another `name`."
                )
            found[name] = value, metric
    return found
