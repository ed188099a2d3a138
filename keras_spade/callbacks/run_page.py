"""An HTML report of a run: pictures of its epochs, curves, settings."""

import json
import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from keras_spade.arguments import positive_integer
from keras_spade.callbacks.draw_grid import draw_grid, shown_channels
from keras_spade.callbacks.paint import check_keys, paint, palette_of
from keras_spade.callbacks.run_facts import run_facts
from keras_spade.files import replacing
from keras_spade.images import check_images
from keras_spade.label_colors import label_colors

FOLDER = "run_pictures"
GAP = 2
RUN = re.compile(r'<script type="application/json" id="run">(.*?)</script>', re.DOTALL)


class RunPage(keras.callbacks.Callback):
    """Writes `run.html` after every epoch of a `GauGAN`'s training: a report that opens from disk.

    It shows label maps, painted pictures and photographs side by side, with a slider
    over the epochs; the same maps painted with several latents; curves of all logged
    numbers; the protocol of those of `EvaluateMetrics`; the best epoch; settings, machine and
    versions. The page needs no server and no external files; its pictures are JPEGs in
    `run_pictures` next to it. It is written atomically. With several workers, the first one paints
    and writes.

    Pictures are painted with the averages of the weights, if the generator's optimizer keeps any,
    and with the same latents in every epoch. A training resumed from a backup or with
    `initial_epoch` continues its page; data of later epochs on an existing page are deleted.

    Args:
        batch: dict with `"labels"` (or `"segmap"`), `"image"`, and `"instances"` if the generator
            has `instance_edges`; arrays or tensors, of a few samples, of any size.
        directory: the folder of the run; created if needed.
        monitor: the number that determines the best epoch, for example `"val_kernel_distance"`, or
            `None`. It must be logged by a callback before this one, or by `fit`.
        mode: `"min"` or `"max"`; `"auto"`: known for losses and results of `EvaluateMetrics`, and
            refused for other numbers.
        palette: uint8 `(classes, 3)` colours of the labels; `None`: those of the model's `classes`,
            or distinct ones.
        class_names: names of the classes for a legend; `None`: those of the model's `classes`, or
            their ids.
        settings: further settings to show, such as the source of the data or flags; a dict of
            titles to dicts or strings.
        every: epochs between pictures; the last epoch of `fit` always has one. If a callback later
            in the list ends the training, it is painted then; list this one before an
            `EarlyStopping` that restores the best weights. Curves show all epochs.
        latents: number of latents to show, if the generator has one; 0: none.
        use_style: with an encoder, use the style of each sample's own photograph.
        seed: of the latents.
        channels: the channels of the images to show, as in `ImageGrid`.

    Raises:
        ValueError: if the batch lacks a key, its images are neither uint8 nor in [-1, 1], or
            `channels` are not one or three of theirs; from `fit`, if nothing logs `monitor`, or
            `mode` is needed.

    Example:

    >>> import numpy as np
    >>> from keras_spade.callbacks import RunPage
    >>> batch = {"labels": np.zeros((2, 32, 32), int), "image": np.zeros((2, 32, 32, 3))}
    >>> page = RunPage(batch, "runs/street")  # gan.fit(..., callbacks=[page])
    """

    def __init__(
        self,
        batch: Mapping[str, Any],
        directory: str | os.PathLike,
        monitor: str | None = None,
        mode: str = "auto",
        palette: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        settings: Mapping[str, Any] | None = None,
        every: int = 1,
        latents: int = 4,
        use_style: bool = False,
        seed: int = 0,
        channels: Sequence[int] | None = None,
    ):
        super().__init__()
        check_keys(batch)
        if mode not in ("auto", "min", "max"):
            raise ValueError(f'`mode` must be "auto", "min" or "max", got {mode!r}.')
        self.batch = {key: np.asarray(array) for key, array in batch.items()}
        check_images("image", self.batch["image"])
        self.channels = shown_channels(channels, self.batch["image"].shape[-1])
        self.directory = Path(directory)
        self.monitor = monitor
        self.mode = mode
        self.palette = palette
        self.class_names = class_names
        self.settings = dict(settings or {})
        self.every = positive_integer("`every`", every)
        self.latents = latents and positive_integer("`latents`", latents)
        self.use_style = use_style
        self.seed = seed
        self.evaluations = ()  # Set by `fit`: the `EvaluateMetrics` before it.
        self._facts, self._logged, self._protocols = None, {}, {}
        self._unpainted = None

    def on_train_begin(self, logs=None):
        """Forgets an earlier `fit`, whose settings may differ."""
        self._facts, self._unpainted = None, None

    def on_epoch_begin(self, epoch, logs=None):
        """Deletes pictures of later epochs and records the settings, once."""
        if self._facts is None and self.model.writes_files:
            self._facts = run_facts(self.model, self.params, self.settings)
            self._logged, self._protocols = self._before(epoch)
            for number, path in self._pictures().items():
                if number > epoch:
                    path.unlink(missing_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        """Paints, and writes the page."""
        if not self.model.writes_files:
            return
        for name, value in (logs or {}).items():
            value = float(value) if math.isfinite(value) else None
            self._logged.setdefault(name, []).append((epoch + 1, value))
        last = epoch + 1 == self.params["epochs"] or self.model.stop_training
        due = (epoch + 1) % self.every == 0 or last or not self._pictures()
        self._unpainted = None if due else epoch
        if due:
            self._paint(epoch)
        self._write(epoch)

    def on_train_end(self, logs=None):
        """Paints the last epoch if a later callback ended the training there."""
        if self._unpainted is not None:
            self._paint(self._unpainted)
            self._write(self._unpainted)

    def _paint(self, epoch):
        folder = self.directory / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        model, styles = self.model, []
        with model.painting_averages():
            painted = paint(model, self.batch, use_style=self.use_style, seed=self.seed)
            if self.latents and model.generator.latent_dim is not None:
                latents = np.random.default_rng(self.seed).normal(
                    size=(self.latents, 1, model.generator.latent_dim)
                )
                styles = [paint(model, self.batch, latent=latent).images for latent in latents]
        self._draw(painted, folder / "labels.png", [])
        self._draw(painted, folder / "real.jpg", [painted.real])
        if styles:
            self._draw(painted, folder / "styles.jpg", styles)
        self._draw(painted, folder / f"epoch_{epoch + 1:04d}.jpg", [painted.images])

    def _draw(self, painted, path, columns):
        """Draws columns of pictures, or of label maps if there are none."""
        picture = draw_grid(
            painted.labels, *columns, palette=self._palette(), gap=GAP, channels=self.channels
        )
        if columns:
            picture = picture[:, painted.labels.shape[2] + GAP :]
        with replacing(path) as partial:
            Image.fromarray(picture).save(partial, quality=92, subsampling=0)

    def _pictures(self):
        """The existing pictures, by epoch counted from 1."""
        paths = sorted((self.directory / FOLDER).glob("epoch_*.jpg"))
        return {int(path.stem.removeprefix("epoch_")): path for path in paths}

    def _write(self, epoch):
        numbers = self._logged
        for evaluation in self.evaluations:
            self._protocols |= evaluation.protocol(self.model)
        labels = self.batch.get("labels")
        run = {
            "title": self.directory.resolve().name,
            "written": time.strftime("%Y-%m-%d %H:%M"),
            "epochs": epoch + 1,
            "of": self.params["epochs"],
            "size": self.model.generator.image_shape[:2],
            "folder": FOLDER,
            "gap": GAP,
            "shown": list(self._pictures()),
            "latents": self.latents if self.model.generator.latent_dim is not None else 0,
            "legend": [] if labels is None else self._legend(np.unique(labels).tolist()),
            "best": self._best(numbers),
            "numbers": numbers,
            "protocols": {k: v for k, v in self._protocols.items() if k in numbers},
            "facts": self._facts,
        }
        text = json.dumps(run, allow_nan=False).replace("<", "\\u003c")
        page = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
        with replacing(self.directory / "run.html") as partial:
            partial.write_text(page.replace("@RUN@", text), encoding="utf-8")

    def _before(self, epoch):
        """The numbers of earlier epochs on an existing page, and their protocols."""
        try:
            page = (self.directory / "run.html").read_text(encoding="utf-8")
            run = json.loads(RUN.search(page)[1])
            numbers, protocols = run["numbers"], run.get("protocols", {})
        except (OSError, TypeError, ValueError, KeyError):
            return {}, {}
        numbers = {k: [pair for pair in pairs if pair[0] <= epoch] for k, pairs in numbers.items()}
        return {name: pairs for name, pairs in numbers.items() if pairs}, protocols

    def _best(self, numbers):
        pairs = [pair for pair in numbers.get(self.monitor, ()) if pair[1] is not None]
        if not pairs:
            return None
        choose = max if self.mode == "max" else min
        epoch, value = choose(pairs, key=lambda pair: pair[1])
        return {"name": self.monitor, "epoch": epoch, "value": value}

    def _palette(self):
        return palette_of(self.model) if self.palette is None else self.palette

    def _legend(self, ids):
        """Names and colours of the displayed classes."""
        palette = self._palette()
        palette = label_colors(max(ids) + 1) if palette is None else np.asarray(palette)
        classes = self.model.classes
        names = self.class_names or (classes and classes.names) or ()
        return [
            (
                names[i] if i < len(names) else str(i),
                "#{:02x}{:02x}{:02x}".format(*(palette[i] if i < len(palette) else (0, 0, 0))),
            )
            for i in ids
        ]
