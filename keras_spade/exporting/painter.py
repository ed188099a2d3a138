"""The function that an exported file holds."""

from dataclasses import dataclass

import keras
from keras import ops

from keras_spade.images import to_pixels
from keras_spade.segmaps import nearest_resize


@dataclass(frozen=True)
class Painter:
    """Paints bytes from named inputs; traced by TensorFlow, it is what every format is made of.

    Args:
        generator: a `Generator`, for inference.
        image_size: `(height, width)` of the label maps, or `None` for any.

    Call arguments:
        inputs: a dict of what the generator takes, see `SPADEGenerator`. Ids that are no class are
            no class here too: all channels of their one-hot pixels are zero.

    Returns:
        A dict of `"image"`, uint8 `(batch, height, width, channels)`.
    """

    generator: keras.Model
    image_size: tuple[int, int] | None

    def __call__(self, inputs):
        """Paints."""
        return {"image": ops.cast(self.pixels(inputs), "uint8")}

    def pixels(self, inputs):
        """The same in [0, 255], rounded as `images.to_bytes` rounds, but still floats."""
        symbolic = self.generator.input
        inputs = {name: ops.cast(inputs[name], symbolic[name].dtype) for name in symbolic}
        if "labels" in inputs:
            # ONNX counts negative ids from the last class.
            classes = self.generator.num_classes + bool(self.generator.void_class)
            inputs["labels"] = ops.where(inputs["labels"] < 0, classes, inputs["labels"])
        size = self.generator.image_shape[:2]  # As `GauGAN.generate` resizes maps.
        inputs = {k: x if k == "latent" else nearest_resize(x, *size) for k, x in inputs.items()}
        images = self.generator(inputs, training=False)
        return ops.clip(ops.round(to_pixels(images)), 0, 255)

    def shapes(self) -> dict[str, tuple]:
        """The shape of each input; unknown sizes are names."""
        height, width = self.image_size or ("height", "width")
        maps = ("batch", height, width)
        shapes = {name: (*maps, *x.shape[3:]) for name, x in self.generator.input.items()}
        if "latent" in shapes:
            shapes["latent"] = ("batch", self.generator.latent_dim)
        return shapes

    def signature(self):
        """The inputs as TensorFlow's specs."""
        import tensorflow as tf

        return {
            name: tf.TensorSpec(
                [None if isinstance(size, str) else size for size in shape],
                tf.int32 if name == "labels" else tf.float32,
                name,
            )
            for name, shape in self.shapes().items()
        }

    def traced(self):
        """The function as a `tf.function`, traced for a dict and for keywords."""
        import tensorflow as tf

        paint = tf.function(self.__call__, autograph=False)

        @tf.function(autograph=False)
        def serve(inputs=None, **named):
            return paint(named if inputs is None else inputs)

        serve.get_concrete_function(self.signature())
        serve.get_concrete_function(**self.signature())
        return serve
