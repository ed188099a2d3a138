import re

import pytest

from keras_spade.datasets.inspection.sizes import keep_ratios, suggest_sizes, vary


@pytest.mark.parametrize(
    ("sizes", "image_size", "load_size", "note"),
    [
        ([(100, 100)], (256, 256), (286, 286), None),
        ([(40, 48), (50, 50)], (256, 256), (286, 286), "1 to 1.2 times as wide as high"),
        ([(360, 480)], (256, 352), (286, 393), "1.3 times as wide .* stretched by up to 3 %"),
        ([(640, 480)], (352, 256), (393, 286), "0.75 times as wide .* up to 3 %"),
        ([(1024, 2048)], (256, 512), (286, 572), None),
    ],
)
def test_images_of_one_ratio_get_it(sizes, image_size, load_size, note):
    found = suggest_sizes(dict.fromkeys(sizes, 1))
    assert found.arguments == {"image_size": image_size, "load_size": load_size}
    assert len(found.notes) == (note is not None)
    if note:
        assert re.search(note, found.notes[0])


def test_images_of_many_ratios_are_not_stretched():
    sizes = {(1024, 400): 3, (600, 1380): 1, (500, 500): 7}
    found = suggest_sizes(sizes)
    assert found.arguments == {
        "image_size": (256, 256),
        "resize": "scale_short_side",
        "load_size": 286,
    }
    assert found.notes[0].startswith("the images are 0.39 to 2.3 times as wide as high: resize=")


def test_every_image_covers_the_crop():
    """The 500 x 500 image needs a width of 512, the others less; 512 * 286 / 256 = 572."""
    sizes = {(1024, 400): 3, (600, 1380): 1, (500, 500): 7}
    assert keep_ratios(sizes, (256, 512)).arguments["load_size"] == 572
    # For 200 x 400, a shorter side of 256 is enough: 286.
    assert keep_ratios({(200, 400): 1}, (256, 512)).arguments["load_size"] == 286
    assert vary(sizes) and not vary({(100, 120): 1, (100, 100): 1})
