"""A picture of the generator's progress after every epoch."""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from keras_spade.arguments import positive_integer
from keras_spade.callbacks.draw_grid import draw_grid, shown_channels
from keras_spade.callbacks.paint import check_keys, map_of, paint, palette_of
from keras_spade.files import replacing
from keras_spade.images import check_images


class ImageGrid(keras.callbacks.Callback):
    """Paints the same label maps after every few epochs of a `GauGAN`'s training.

    Writes `epoch_0001.png` ... to a folder, one row per sample: label map | generated | real.
    Pictures are painted with the averages of the weights, if the generator's optimizer keeps any.
    Latents are the same in every epoch, and the model's own noise is unaffected. With several
    workers, the first one paints.

    Args:
        batch: dict with `"labels"` (or `"segmap"`), `"image"`, and `"instances"` if the generator
            has `instance_edges`; arrays or tensors, of a few samples, of any size.
        directory: the folder of the pictures; created if needed.
        palette: uint8 `(classes, 3)` colours of the labels; `None`: those of the model's `classes`,
            or distinct ones.
        every: epochs between pictures; the last epoch of `fit` always has one. If a callback later
            in the list ends the training, it is painted then; list this one before an
            `EarlyStopping` that restores the best weights.
        use_style: with an encoder, use the style of each sample's own photograph.
        seed: of the latents.
        channels: the channels of the images to show, three as red, green and blue, or one as
            grey; `None`: the first three, or the first if there are fewer.
        tensorboard_dir: where to log the pictures for TensorBoard, as "pictures"; `None`: not
            logged. Needs TensorFlow and TensorBoard, `pip install tensorboard`.

    Raises:
        ValueError: if the batch lacks a key, its images are neither uint8 nor in [-1, 1], or
            `channels` are not one or three of theirs.
        ImportError: if `tensorboard_dir` is given and TensorBoard is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_spade.callbacks import ImageGrid
    >>> batch = {"labels": np.zeros((2, 32, 32), int), "image": np.zeros((2, 32, 32, 3))}
    >>> callback = ImageGrid(batch, directory="pictures")  # gan.fit(..., callbacks=[callback])
    """

    def __init__(
        self,
        batch: Mapping[str, Any],
        directory: str | os.PathLike,
        palette: ArrayLike | None = None,
        every: int = 1,
        use_style: bool = False,
        seed: int = 0,
        channels: Sequence[int] | None = None,
        tensorboard_dir: str | os.PathLike | None = None,
    ):
        super().__init__()
        check_keys(batch)
        self.labels, self.image = np.asarray(map_of(batch)), np.asarray(batch["image"])
        check_images("image", self.image)
        self.channels = shown_channels(channels, self.image.shape[-1])
        instances = batch.get("instances")
        self.instances = None if instances is None else np.asarray(instances)
        self.directory = os.fspath(directory)
        self.palette = palette
        self.every = positive_integer("`every`", every)
        self.use_style = use_style
        self.seed = seed
        if tensorboard_dir is not None:
            for name in ("tensorflow", "tensorboard"):
                if importlib.util.find_spec(name) is None:
                    raise ImportError(
                        f"`tensorboard_dir`: pictures for TensorBoard need {name}: pip install "
                        f"{name}."
                    )
        self.tensorboard_dir = tensorboard_dir
        self._writer, self._unpainted = None, None

    def on_train_begin(self, logs=None):
        """Forgets an earlier `fit`, which may have been interrupted."""
        self._unpainted = None

    def on_epoch_end(self, epoch, logs=None):
        """Writes the picture of the epoch, counted from 1."""
        if not self.model.writes_files:
            return
        last = epoch + 1 == (self.params or {}).get("epochs") or self.model.stop_training
        due = (epoch + 1) % self.every == 0 or last
        self._unpainted = None if due else epoch
        if due:
            self._write_epoch(epoch)

    def write(self, path: str | os.PathLike) -> np.ndarray:
        """Paints and writes the picture atomically.

        Args:
            path: of the PNG.

        Returns:
            uint8 `(rows, columns, 3)`, the picture.
        """
        batch = {"labels": self.labels, "instances": self.instances, "image": self.image}
        with self.model.painting_averages():
            painted = paint(self.model, batch, use_style=self.use_style, seed=self.seed)
        columns = painted.images, painted.real
        palette = self.palette
        if palette is None:
            palette = palette_of(self.model)
        picture = draw_grid(painted.labels, *columns, palette=palette, channels=self.channels)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with replacing(path) as partial:
            Image.fromarray(picture).save(partial, format="PNG")
        return picture

    def on_train_end(self, logs=None):
        """Writes the picture of the last epoch if a later callback ended the training there."""
        if self._unpainted is not None:
            self._write_epoch(self._unpainted)
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write_epoch(self, epoch):
        picture = self.write(os.path.join(self.directory, f"epoch_{epoch + 1:04d}.png"))
        if self.tensorboard_dir is not None:
            self._show(picture, epoch)

    def _show(self, picture, epoch):
        """Logs the picture for TensorBoard, at the step that Keras' callback uses for the epoch."""
        import tensorflow as tf

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(os.fspath(self.tensorboard_dir))
        with self._writer.as_default():
            tf.summary.image("pictures", picture[None], step=epoch)
        self._writer.flush()
