import keras
import numpy as np
import pytest
from support.exports import make_generator, make_inputs

from keras_spade.exporting.painter import Painter
from keras_spade.images import to_bytes


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("conditioning", ["labels", "dense"])
def test_bytes_are_those_of_generate(dtype, conditioning):
    generator = make_generator(latent_dim=2, conditioning=conditioning, dtype=dtype)
    inputs = make_inputs(generator)
    images = keras.ops.convert_to_numpy(generator(inputs))
    image = keras.ops.convert_to_numpy(Painter(generator, None)(inputs)["image"])
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, to_bytes(images))


def test_shapes_say_what_is_open():
    generator = make_generator(latent_dim=2, conditioning="dense")
    assert Painter(generator, None).shapes() == {
        "segmap": ("batch", "height", "width", 4),
        "latent": ("batch", 2),
    }
    generator = make_generator(latent_dim=None, instance_edges=True)
    assert Painter(generator, (40, 24)).shapes() == dict.fromkeys(
        ("labels", "edges"), ("batch", 40, 24)
    )
