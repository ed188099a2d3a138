"""A picture of what the generator can do, after every epoch."""

import os

import keras
import numpy as np
from PIL import Image

from keras_spade.arguments import positive_integer
from keras_spade.callbacks.draw_grid import draw_grid, shown_channels
from keras_spade.files import replacing
from keras_spade.images import check_images, resize_maps, resize_photographs


class ImageGrid(keras.callbacks.Callback):
    """Paints the same label maps after every few epochs of a `GauGAN`'s training.

    Writes `epoch_0001.png` ... into a folder, one row a sample: label map | generated | real.
    Latents are the same at every epoch, and the model's own noise is not touched. On several
    workers the first one paints.

    Args:
        batch: dict with `"labels"` (or `"segmap"`), `"image"`, and `"instances"` if the generator
            has `instance_edges`; arrays or tensors, of a few samples, of any size.
        directory: where the pictures go; made if need be.
        palette: uint8 `(classes, 3)` colours of the labels; `None`: distinct ones.
        every: epochs between pictures; the last epoch of `fit` always has one.
        use_style: with an encoder, take the style of each sample's own photograph.
        seed: of the latents.
        channels: which channels of the images are shown, three as red, green and blue, or one as
            grey; `None`: the first three, or of less the first.

    Raises:
        ValueError: if the batch lacks a key, its images are neither uint8 nor in [-1, 1], or
            `channels` are not one or three of theirs.

    Example:

    >>> import numpy as np
    >>> from keras_spade.callbacks import ImageGrid
    >>> batch = {"labels": np.zeros((2, 32, 32), int), "image": np.zeros((2, 32, 32, 3))}
    >>> callback = ImageGrid(batch, directory="pictures")  # gan.fit(..., callbacks=[callback])
    """

    def __init__(
        self, batch, directory, palette=None, every=1, use_style=False, seed=0, channels=None
    ):
        super().__init__()
        self.labels = batch.get("labels", batch.get("segmap"))
        if self.labels is None or batch.get("image") is None:
            raise ValueError(
                f"`batch` must have the keys 'labels' (or 'segmap') and 'image', got {list(batch)}."
            )
        self.labels, self.image = np.asarray(self.labels), np.asarray(batch["image"])
        check_images("image", self.image)
        self.channels = shown_channels(channels, self.image.shape[-1])
        instances = batch.get("instances")
        self.instances = None if instances is None else np.asarray(instances)
        self.directory = os.fspath(directory)
        self.palette = palette
        self.every = positive_integer("`every`", every)
        self.use_style = use_style
        self.seed = seed

    def on_epoch_end(self, epoch, logs=None):
        """Writes the picture of the epoch, counted from 1."""
        if not getattr(self.model, "writes_files", True):
            return
        last = epoch + 1 == (self.params or {}).get("epochs")
        if (epoch + 1) % self.every == 0 or last:
            self.write(os.path.join(self.directory, f"epoch_{epoch + 1:04d}.png"))

    def write(self, path):
        """Paints and writes the picture; a file that is there is replaced only when it is done.

        Args:
            path: of the PNG.
        """
        edges = self.model.generator.instance_edges
        style = self.image if self.use_style and self.model.encoder is not None else None
        generated = self.model.generate(
            self.labels,
            instances=self.instances if edges else None,
            style_image=style,
            seed=self.seed,
        )
        labels, image, size = self.labels, self.image, generated.shape[1:3]
        if labels.shape[1:3] != size:
            labels = resize_maps(labels, *size)
        if image.shape[1:3] != size:
            image = resize_photographs(image, *size)
        picture = draw_grid(labels, generated, image, palette=self.palette, channels=self.channels)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with replacing(path) as partial:
            Image.fromarray(picture).save(partial, format="PNG")
