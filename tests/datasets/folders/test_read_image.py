import numpy as np
import pytest
from PIL import Image, ImageOps

from keras_spade.datasets import read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_as_it_is_to_be_seen(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(tmp_path / "x.png", exif=exif)
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "x.png")))
    got = read_image(tmp_path / "x.png")
    np.testing.assert_array_equal(got, wanted)
    assert got.shape == ((8, 5, 3) if orientation >= 5 else (5, 8, 3))


def test_what_is_no_photograph_is_refused(tmp_path):
    Image.fromarray(PIXELS[..., 0].astype("uint16")).save(tmp_path / "x.png")
    with pytest.raises(ValueError, match="x.png: its pixels are uint16"):
        read_image(tmp_path / "x.png")
