"""A model that paints single label maps."""

import threading

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_spade.arguments import ids_out_of_range
from keras_spade.backends import backend
from keras_spade.datasets import read_image
from keras_spade.datasets.folders.opening import Blob
from keras_spade.images import resize_channels, to_bytes, to_floats
from keras_spade.label_colors import label_colors
from keras_spade.networks import Generator, StyleEncoder
from keras_spade.segmaps import instance_edges

VOID_COLOR = (150, 150, 150)


class PaintingModel:
    """A generator, and optionally an encoder, for the painter.

    Several threads may call it; it paints one map at a time. If the generator takes instance edges,
    each region of a class counts as an instance: two touching objects of a class are one.

    Args:
        generator: a `Generator` of label maps; it is copied without spectral norm.
        encoder: a `StyleEncoder` of its `latent_dim`, or `None`.
        title: its name on the page.

    Raises:
        ValueError: if the page does not support the generator's inputs or images.

    Example:

    >>> from keras_spade import SPADEGenerator
    >>> from keras_spade.painting import PaintingModel
    >>> generator = SPADEGenerator(2, (32, 64, 3), void_class=True, latent_dim=8, base_filters=2)
    >>> PaintingModel(generator).class_names
    ['class 0', 'class 1', "don't care"]
    """

    def __init__(
        self, generator: Generator, encoder: StyleEncoder | None = None, title: str = "keras_spade"
    ):
        if generator.conditioning != "labels":
            raise ValueError(
                f"The painter draws label maps, but {generator.name!r} was built with "
                f"conditioning={generator.conditioning!r} and takes float maps."
            )
        channels = generator.image_shape[-1]
        if channels not in (1, 3):
            raise ValueError(
                f"The painter shows images of 1 or 3 channels, but {generator.name!r} paints "
                f"{channels}."
            )
        if encoder is not None and encoder.image_shape[-1] not in (1, 3):
            encoder = None  # No photograph has that many channels.
        self.generator = generator
        self.encoder = encoder if generator.latent_dim is not None else None
        self.title = title
        self.num_ids = generator.num_classes + bool(generator.void_class)
        self._lock = threading.Lock()
        folded = generator.fold_spectral_norm()
        self._generate = backend.inference(
            folded, lambda x: folded(x, training=False), folded.variables
        )

    @property
    def class_names(self) -> list[str]:
        """The names of all ids, void last."""
        count = self.generator.num_classes
        classes = self.generator.classes
        names = classes.names if classes is not None else None
        names = list(names or (f"class {i}" for i in range(count)))
        return names + ["don't care"] * bool(self.generator.void_class)

    @property
    def colors(self) -> np.ndarray:
        """The colours of all ids, uint8 `(ids, 3)`."""
        count = self.generator.num_classes
        classes = self.generator.classes
        palette = classes.palette if classes is not None else None
        colors = label_colors(count) if palette is None else np.asarray(palette, "uint8")
        void = [VOID_COLOR] * bool(self.generator.void_class)
        return np.concatenate([colors, np.array(void, "uint8").reshape(-1, 3)])

    def paint(self, labels: ArrayLike, latent: ArrayLike | None = None) -> np.ndarray:
        """Paints one label map.

        Args:
            labels: integer ids `(H, W)`, of the generator's image size.
            latent: `(latent_dim,)`, if the generator has a latent.

        Returns:
            uint8 `(H, W, channels)`.

        Raises:
            ValueError: naming the invalid argument.
        """
        generator = self.generator
        labels = np.asarray(labels, "int32")
        if labels.shape != generator.image_shape[:2]:
            raise ValueError(
                f"`labels` must have shape {generator.image_shape[:2]}, got {labels.shape}."
            )
        if labels.min() < 0 or labels.max() >= self.num_ids:
            raise ValueError(ids_out_of_range(self.num_ids, labels.min(), labels.max()))
        inputs = {"labels": labels[None]}
        if generator.latent_dim is not None:
            latent = np.asarray(latent, "float32")
            if latent.shape != (generator.latent_dim,) or not np.isfinite(latent).all():
                raise ValueError(f"`latent` must be {generator.latent_dim} finite numbers.")
            inputs["latent"] = latent[None]
        with self._lock:
            inputs = {name: ops.convert_to_tensor(value) for name, value in inputs.items()}
            if generator.instance_edges:
                inputs["edges"] = instance_edges(inputs["labels"])
            images = ops.convert_to_numpy(ops.cast(self._generate(inputs), "float32"))
        return to_bytes(images[0])

    def style_of(self, photograph: bytes) -> np.ndarray:
        """Returns the style of a photograph: the mean of the encoder's posterior.

        Args:
            photograph: the content of a file that Pillow can read, for example JPEG or PNG.

        Returns:
            float32 `(latent_dim,)`.

        Raises:
            ValueError: if it cannot be read, is too large, or the model has no encoder.
        """
        if self.encoder is None:
            raise ValueError("The model has no encoder to compute styles of photographs.")
        height, width, channels = self.encoder.image_shape
        with self._lock:
            try:
                image = read_image(Blob("the photograph", photograph), channels)
            except (
                ValueError
            ) as error:  # Pillow's message contains the memory address of the bytes.
                raise ValueError(str(error).split(" <_io.")[0]) from None
            image = to_floats(resize_channels(image, height, width).astype("float32"))
            mean, _ = self.encoder(image[None], training=False)
            return ops.convert_to_numpy(mean)[0].astype("float32")
