import numpy as np
import pytest
from PIL import Image

from keras_spade.datasets import paired_folders, read_label_map


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"load_size": (12, 20)},
        {"resize": "scale_short_side", "load_size": 11},
        {"resize": "scale_width", "load_size": 24},
        {"resize": "none"},
    ],
)
def test_a_map_has_the_size_and_the_crop_of_validation_data(tmp_path, sizes):
    labels = np.random.default_rng(0).integers(0, 4, (18, 30)).astype("uint8")
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
        Image.fromarray(labels).save(tmp_path / folder / "1.png")
    sizes = {"image_size": (8, 16), "allow_smooth_labels": True, **sizes}
    batch = next(iter(paired_folders(tmp_path, 4, crop="center", **sizes)))
    read = read_label_map(tmp_path / "labels/1.png", 4, **sizes)
    assert read.dtype == "int32" and np.array_equal(read, batch["labels"][0])
    sizes.pop("allow_smooth_labels")
    assert np.array_equal(read, read_label_map(tmp_path / "labels/1.png", **sizes))


def test_sizes_need_an_image_size(tmp_path):
    np.save(tmp_path / "1.npy", np.zeros((4, 6), int))
    with pytest.raises(ValueError, match="image_size is needed"):
        read_label_map(tmp_path / "1.npy", 2, resize="none")
    with pytest.raises(ValueError, match=r"1.npy: 4 x 6 .* less than image_size=\(8, 8\)"):
        read_label_map(tmp_path / "1.npy", image_size=(8, 8), resize="none")
