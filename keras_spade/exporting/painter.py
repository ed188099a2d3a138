"""The function in an exported file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
from keras import ops

from keras_spade.images import to_pixels, whole_pixels
from keras_spade.segmaps import nearest_resize
from keras_spade.tensor import Tensor

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class Painter:
    """Paints bytes from named inputs; every format is made from its TensorFlow trace.

    Args:
        generator: a `Generator`, for inference.
        image_size: `(height, width)` of the label maps, or `None` for any.

    Call arguments:
        inputs: a dict of the generator's inputs, see `SPADEGenerator`. As in the generator, ids
            that are not a class set no channel of the one-hot map.

    Returns:
        A dict of `"image"`, uint8 `(batch, height, width, channels)`.
    """

    generator: keras.Model
    image_size: tuple[int, int] | None

    def __call__(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Paints."""
        return {"image": ops.cast(self.pixels(inputs), "uint8")}

    def pixels(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Pixels in [0, 255], whole numbers, but as floats."""
        symbolic = self.generator.input
        inputs = {name: ops.cast(inputs[name], symbolic[name].dtype) for name in symbolic}
        if "labels" in inputs:
            # ONNX counts negative ids from the last class.
            classes = self.generator.num_classes + bool(self.generator.void_class)
            inputs["labels"] = ops.where(inputs["labels"] < 0, classes, inputs["labels"])
        size = self.generator.image_shape[:2]  # Resize as `GauGAN.generate` does.
        inputs = {k: x if k == "latent" else nearest_resize(x, *size) for k, x in inputs.items()}
        images = self.generator(inputs, training=False)
        return whole_pixels(to_pixels(images))

    def shapes(self) -> dict[str, tuple]:
        """The shape of each input, with names for unknown sizes."""
        height, width = self.image_size or ("height", "width")
        maps = ("batch", height, width)
        shapes = {name: (*maps, *x.shape[3:]) for name, x in self.generator.input.items()}
        if "latent" in shapes:
            shapes["latent"] = ("batch", self.generator.latent_dim)
        return shapes

    def signature(self) -> dict[str, "tf.TensorSpec"]:
        """The inputs as TensorFlow specs."""
        import tensorflow as tf

        return {
            name: tf.TensorSpec(
                [None if isinstance(size, str) else size for size in shape],
                tf.int32 if name == "labels" else tf.float32,
                name,
            )
            for name, shape in self.shapes().items()
        }

    def traced(self) -> Callable:
        """The function as a `tf.function`, traced with a dict and with keyword arguments."""
        import tensorflow as tf

        paint = tf.function(self.__call__, autograph=False)

        @tf.function(autograph=False)
        def serve(inputs=None, **named):
            return paint(named if inputs is None else inputs)

        serve.get_concrete_function(self.signature())
        serve.get_concrete_function(**self.signature())
        return serve
