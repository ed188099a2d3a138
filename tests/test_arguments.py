import pytest

from keras_spade.arguments import shape_hint

LABELS, IMAGES = ("batch", "H", "W"), ("batch", 32, 64, 3)


@pytest.mark.parametrize(
    ("shape", "wanted", "hint"),
    [
        ((32, 64), LABELS, " The batch axis is missing: pass array[None]."),
        ((2, 32, 64, 1), LABELS, " The last axis is superfluous: pass array[..., 0]."),
        ((2, 32, 64, 5), LABELS, " For one-hot maps pass array.argmax(axis=-1)."),
        ((32, 64, 3), IMAGES, " The batch axis is missing: pass array[None]."),
        ((2, 32, 64), IMAGES, " The channel axis is missing: pass array[..., None]."),
        ((2, 3, 32, 64), IMAGES, " Channels come last: pass np.moveaxis(array, 1, -1)."),
        ((2, 16, 64, 3), IMAGES, ""),
        ((), LABELS, ""),
    ],
)
def test_what_a_shape_tells(shape, wanted, hint):
    assert shape_hint(shape, wanted) == hint
