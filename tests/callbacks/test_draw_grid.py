import numpy as np
import pytest

from keras_spade.callbacks import draw_grid, label_colors


def test_every_pixel_is_where_it_belongs():
    labels = np.array([[[0, 1]], [[1, 0]]])
    palette = np.array([[10, 20, 30], [40, 50, 60]], "uint8")
    floats = np.array([[[[-1, 0, 1]] * 2], [[[1, 1, 1]] * 2]], "float32")
    bytes_ = np.full((2, 1, 2, 3), 7, "uint8")
    picture = draw_grid(labels, floats, bytes_, palette=palette, gap=1)
    white, seven = [255] * 3, [7] * 3
    grey = [0, 128, 255]
    want = [
        [palette[0].tolist(), palette[1].tolist(), white, grey, grey, white, seven, seven],
        [white] * 8,
        [palette[1].tolist(), palette[0].tolist(), white, white, white, white, seven, seven],
    ]
    assert picture.dtype == np.uint8
    assert picture.tolist() == want


def test_ids_beyond_the_palette_are_black_and_gaps_may_go():
    picture = draw_grid(np.array([[[3]]]), palette=[[1, 2, 3]], gap=0)
    assert picture.tolist() == [[[0, 0, 0]]]


def test_float_maps_show_their_largest_channel():
    segmap = np.array([[[[0.1, 0.9], [0.8, 0.2]]]])
    picture = draw_grid(segmap, palette=[[1, 1, 1], [2, 2, 2]], gap=0)
    assert picture[0, :, 0].tolist() == [2, 1]


def test_colours_are_distinct_and_stable():
    colors = label_colors(183)
    assert colors.shape == (183, 3) and colors.dtype == np.uint8
    assert len({tuple(color) for color in colors.tolist()}) == 183
    assert np.array_equal(colors[:12], label_colors(12))
    near = [np.abs(colors[i].astype(int) - colors[i + 1]).sum() for i in range(182)]
    assert min(near) > 60


def test_other_channels_are_shown_as_grey_or_as_three():
    labels, one = np.zeros((1, 1, 1), int), np.array([[[[10, 20, 30, 40]]]], "uint8")
    for count, channels, want in (
        (1, None, [10, 10, 10]),
        (2, None, [10, 10, 10]),
        (4, None, [10, 20, 30]),
        (4, (3, 2, 1), [40, 30, 20]),
        (4, [2], [30, 30, 30]),
    ):
        picture = draw_grid(labels, one[..., :count], channels=channels, gap=0)
        assert picture[0, 1].tolist() == want
    floats = np.array([[[[0.0]]]])
    assert draw_grid(labels, floats, gap=0)[0, 1].tolist() == [128, 128, 128]


@pytest.mark.parametrize("channels", [(0, 1), (4,), (0, 1, -1), 1, ("red",)])
def test_channels_that_are_not_there_are_refused(channels):
    with pytest.raises(ValueError, match=r"`channels` must be one or three of the channels 0..3"):
        draw_grid(np.zeros((1, 1, 1), int), np.zeros((1, 1, 1, 4)), channels=channels)
