import numpy as np
from PIL import Image
from support.harness import to_numpy

from keras_spade import layers
from keras_spade.images import (
    instance_borders,
    resize_maps,
    resize_photograph,
    resize_photographs,
)

RNG = np.random.default_rng(0)


def test_maps_keep_their_type_and_take_the_top_left_source():
    maps = np.arange(2 * 6 * 4).reshape(2, 6, 4)
    resized = resize_maps(maps, 3, 8)
    assert resized.dtype == maps.dtype
    second = [[24 + 8 * row + column // 2 for column in range(8)] for row in range(3)]
    assert resized[1].tolist() == second
    floats = RNG.random((1, 6, 4, 2)).astype("float32")
    np.testing.assert_array_equal(resize_maps(floats, 2, 2), floats[:, ::3, ::2])


def test_borders_of_instances_are_those_of_the_layer():
    instances = RNG.integers(0, 2, (2, 5, 7)).astype("int32")
    borders = instance_borders(instances)
    assert borders.dtype == bool
    np.testing.assert_array_equal(borders, to_numpy(layers.instance_edges(instances)))
    np.testing.assert_array_equal(borders[1], instance_borders(instances[1]))
    assert instance_borders(np.array([[7, 7, 9, 9]])).tolist() == [[False, True, True, False]]


def test_photographs_are_pillows_bicubic_resizes():
    pixels = RNG.integers(0, 256, (2, 40, 30, 3), dtype=np.uint8)
    wanted = [np.asarray(Image.fromarray(x).resize((17, 64), Image.BICUBIC)) for x in pixels]
    np.testing.assert_array_equal(resize_photographs(pixels, 64, 17), wanted)
    image = Image.fromarray(pixels[0])
    np.testing.assert_array_equal(resize_photograph(image, 64, 17), wanted[0])
    assert resize_photograph(image, 40, 30) is image


def test_floats_stay_floats_and_go_not_beyond():
    # A step at twice the size: pixels are a quarter from the nearest, where the weights of Keys'
    # cubic with a = -1/2 are -9, 111, 29 and -3, of 128. A byte is 1/127.5.
    wanted = np.array([-3, -9, 26, 102, 137, 131]) / 128
    for height in (0.002, 1):
        images = np.tile(height * np.array([0, 0, 0, 1, 1, 1]), (1, 4, 1))[..., None]
        resized = resize_photographs(images, 4, 12)
        assert resized.dtype == np.float32 and resized.shape == (1, 4, 12, 1)
        want = np.minimum(height * wanted, 1)
        np.testing.assert_allclose(resized[0, 0, 3:9, 0], want, atol=1e-7)


def test_photographs_of_any_number_of_channels():
    pixels = RNG.integers(0, 256, (1, 8, 8, 5), dtype=np.uint8)
    resized = resize_photographs(pixels, 4, 6)
    assert resized.shape == (1, 4, 6, 5)
    for channel in range(5):
        wanted = Image.fromarray(pixels[0, :, :, channel]).resize((6, 4), Image.BICUBIC)
        np.testing.assert_array_equal(resized[0, :, :, channel], wanted)
    assert resize_photographs(pixels[..., :1], 4, 6).shape == (1, 4, 6, 1)
