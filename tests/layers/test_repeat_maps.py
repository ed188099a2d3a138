import keras
import numpy as np

from keras_spade.layers import RepeatMaps


def test_stacks_of_images_have_the_maps_in_turn():
    images = np.zeros((6, 5, 5, 3), "float32")
    for dtype, shape in (("int32", (2, 3, 4)), ("float32", (2, 3, 4, 5))):
        maps = np.random.default_rng(0).integers(0, 9, shape).astype(dtype)
        got = RepeatMaps()(maps, images)
        assert keras.backend.standardize_dtype(got.dtype) == dtype
        np.testing.assert_array_equal(np.array(got), np.concatenate([maps] * 3))


def test_symbolic_shape():
    maps, images = keras.Input((None, None), dtype="int32"), keras.Input((8, 8, 3))
    got = RepeatMaps()(maps, images)
    assert tuple(got.shape) == (None, None, None) and got.dtype == "int32"
