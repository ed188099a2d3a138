"""Logging metrics of painted pictures."""

import inspect
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from keras_spade.arguments import integer_at_least, positive_integer
from keras_spade.callbacks.evaluation_protocol import data_protocol, painting_protocol
from keras_spade.callbacks.paint import batches_of, map_of, paint, refuse_weights
from keras_spade.compiled_gan import CompiledGan
from keras_spade.gan import Gan
from keras_spade.images import check_images, to_bytes

# Keras' name of a direction -> the `mode` of its callbacks.
MODES = {"up": "max", "down": "min"}


class EvaluateMetrics(keras.callbacks.Callback):
    """Paints validation data every few epochs and logs metrics of the pictures.

    A result `kernel_distance` is logged as `val_kernel_distance`. The callbacks after this one in
    the list see it: `ModelCheckpoint(save_best_only=True)`, `EarlyStopping` and
    `ReduceLROnPlateau`, which need no `mode`, `CSVLogger`, `TensorBoard` and others. `fit` refuses
    a list in which one of these comes earlier. The history and the progress bar always show it.

    The metrics are evaluated after every `every`-th epoch, after the last of `fit(epochs=...)`, and
    after the first one of a training without values. The other epochs repeat the last values; so
    does one after which a later callback, such as `EarlyStopping`, ends the training. (Without one,
    `ModelCheckpoint` would treat the epoch as the best, and `EarlyStopping` would warn.) So
    `patience` counts epochs, not evaluations. A training resumed from a backup keeps its values.
    NaN is logged as the worst possible value, because Keras' callbacks would treat it as the best
    and keep it.

    Pictures are painted with the averages of the weights, if the generator's optimizer keeps any,
    and with the same seeded latents each time. With several workers, all paint, so that all know
    when to stop; create metrics outside `strategy.scope()`.

    Args:
        data: validation data: a dataset or list of batches in a form that `fit` accepts, or a dict
            of arrays of all samples. For datasets of `keras_spade.datasets`, the first epoch is
            used each time.
        metrics: a `keras.Metric`, or a list of them: those of `keras_spade.metrics`, or your own.
            The argument names of its `update_state` select the inputs of each: `real` (or
            `y_true`), the photographs; `fake`, `images` (or `y_pred`), the painted pictures, all
            uint8 `(batch, H, W, channels)`; `labels`, integer ids `(batch, H, W)`. A metric with
            `images` alone, such as `Diversity`, receives pictures for several latents, `(batch,
            latents, H, W, channels)`. Its `result` is a number, logged under its name, or a dict;
            without samples, it must have the same names. If dicts of two metrics share a key, all
            keys of both are prefixed with the name of their metric. A dict of strings, returned by
            a method `protocol` of a metric, is shown in the report of `RunPage`.
        every: epochs between evaluations.
        directions: dict that maps the name of a result to `"min"` or `"max"`, the better direction.
            Those of `keras_spade.metrics` are known.
        steps: number of batches to paint; `None`: all.
        use_style: with an encoder, use the style of each sample's own photograph.
        latents: number of latents per map for a metric of `images` alone, at least 2.
        batch_size: for `data` as a dict of arrays.
        seed: of the latents.

    Raises:
        ValueError: for metrics with other arguments, or that log the same name; from `fit`, if a
            callback that needs a value comes before this one, or a metric needs a latent that the
            generator lacks; for images that are neither uint8 nor in [-1, 1].

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
        data: Any,
        metrics: keras.Metric | list[keras.Metric],
        every: int = 1,
        directions: Mapping[str, str] | None = None,
        steps: int | None = None,
        use_style: bool = False,
        latents: int = 4,
        batch_size: int = 8,
        seed: int = 0,
    ):
        super().__init__()
        if isinstance(data, Iterator):
            raise ValueError(
                "`data` can be iterated only once; pass a dataset, or a list of batches."
            )
        refuse_weights(data)
        # TensorFlow's value for infinity is -1.
        if steps is None and hasattr(data, "cardinality") and int(data.cardinality()) == -1:
            raise ValueError("`data` is infinite; pass `steps`.")
        self.data = data
        self.metrics = list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]
        self.every = positive_integer("`every`", every)
        self.steps = steps if steps is None else positive_integer("`steps`", steps)
        self.use_style = use_style
        self.latents = integer_at_least(2, "`latents`", latents, "at least 2")
        self.batch_size = positive_integer("`batch_size`", batch_size)
        self.seed = seed
        results = _results(self.metrics)
        self.directions = _directions(results, directions or {})
        self._asks = [_asks(metric) for metric in self.metrics]
        self._metric_of = {f"val_{name}": metric for name, (_, metric) in results.items()}
        self._samples = 0
        for metric in self.metrics:
            _own_protocol(metric)

    def on_train_begin(self, logs=None):
        """Checks that the generator has the latents that a metric needs."""
        self._check_latent(self.model)

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

    def evaluate(self, model: Gan) -> dict[str, float]:
        """Paints the data and computes the metrics.

        Args:
            model: a `GauGAN`.

        Returns:
            The results by name, without `val_`.
        """
        self._check_latent(model)
        for metric in self.metrics:
            metric.reset_state()
        batches = itertools.islice(batches_of(self.data, self.batch_size), self.steps)
        samples = 0
        with model.painting_averages():
            for number, batch in enumerate(batches):
                self._update(batch, self._seen(model, batch, self.seed + number * self.latents))
                samples += len(map_of(batch))
        if not samples:
            raise ValueError("`data` is empty.")
        self._samples = samples
        found = _results(self.metrics)
        return {k: float(keras.ops.convert_to_numpy(v)) for k, (v, _) in found.items()}

    def protocol(self, model: CompiledGan) -> dict[str, dict[str, str]]:
        """What the results depend on: compare only numbers with the same protocol.

        Args:
            model: a `GauGAN`.

        Returns:
            A dict of strings for each logged name: the metric, its features, segmenter or distance,
            the number of the literature that it `is_not`, data, size, void, latent, weights, and
            the samples of the latest evaluation, if there was one.
        """
        data = data_protocol(self.data)
        samples = {"samples": str(self._samples)} if self._samples else {}
        found = {}
        for name, metric in self._metric_of.items():
            asked = _asks(metric).values()
            several = "pictures" in asked
            found[name] = {
                "metric": type(metric).__name__,
                **_own_protocol(metric),
                **samples,
                **({"pictures_of_each_map": str(self.latents)} if several else {}),
                **painting_protocol(model, self.use_style and not several, self.seed),
                **({"real": "the photographs of the label maps"} if "image" in asked else {}),
                **data,
            }
        return found

    def _update(self, batch, seen):
        for metric, asks in zip(self.metrics, self._asks, strict=True):
            missing = [given for given in asks.values() if seen[given] is None]
            if missing:
                raise ValueError(
                    f"`data`: {type(metric).__name__} needs {missing[0]!r}; a batch has "
                    f"{list(batch)}."
                )
            metric.update_state(**{name: seen[given] for name, given in asks.items()})

    def _seen(self, model, batch, seed):
        """The inputs that metrics can request."""
        if map_of(batch) is None:
            raise ValueError(f"`data`: a batch lacks 'labels' (or 'segmap'); it has {list(batch)}.")
        painted = paint(model, batch, use_style=self.use_style, seed=seed)
        real = painted.real
        if real is not None:
            check_images("image", real)
            real = real if real.dtype == np.uint8 else to_bytes(real)
        labels = painted.labels if painted.labels.ndim == 3 else None
        seen = {"image": real, "labels": labels, "painted": painted.images}
        if {"images": "pictures"} in self._asks:
            seeds = range(seed, seed + self.latents)
            pictures = [paint(model, batch, seed=number).images for number in seeds]
            seen["pictures"] = np.stack(pictures, axis=1)
        return seen

    def _check_latent(self, model):
        for metric, asks in zip(self.metrics, self._asks, strict=True):
            if asks == {"images": "pictures"} and model.generator.latent_dim is None:
                raise ValueError(
                    f"`metrics`: {type(metric).__name__} compares pictures for several latents; "
                    "the generator has no latent (latent_dim=None)."
                )

    def _or_the_worst(self, name, value):
        if not math.isnan(value):
            return value
        return -math.inf if self.directions.get(f"val_{name}") == "max" else math.inf


# The inputs for arguments of `update_state`.
GIVEN = {
    "real": "image",
    "y_true": "image",
    "fake": "painted",
    "y_pred": "painted",
    "images": "painted",
    "labels": "labels",
}


def _asks(metric):
    """The arguments of a metric's `update_state`, and the input of each."""
    parameters = inspect.signature(metric.update_state).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    unknown = [name for name in needed if name not in GIVEN]
    if unknown or not needed:
        raise ValueError(
            f"`metrics`: {type(metric).__name__}.update_state({', '.join(needed)}): its arguments "
            f"must be some of {', '.join(GIVEN)}."
        )
    return {"images": "pictures"} if needed == ["images"] else {k: GIVEN[k] for k in needed}


def _own_protocol(metric):
    """What a metric says of itself."""
    make = getattr(metric, "protocol", None)
    found = make() if callable(make) else {}
    if not isinstance(found, dict) or not all(isinstance(x, str) for x in sum(found.items(), ())):
        raise ValueError(
            f"`metrics`: {type(metric).__name__}.protocol() must return a dict of strings, got "
            f"{found!r}."
        )
    return found


def _directions(results, given):
    """The names that will be logged, and the better direction of each, or `None`."""
    found = {
        f"val_{name}": MODES.get(getattr(metric, "_direction", None))
        for name, (_, metric) in results.items()
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

    If dicts share a key, all their keys are prefixed with the names of the metrics.
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
