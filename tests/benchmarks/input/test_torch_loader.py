import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from benchmarks.input.torch_loader import DecodedDataset, PairDataset  # noqa: E402
from keras_spade.datasets import paired_folders  # noqa: E402


@pytest.mark.parametrize("kind", [PairDataset, DecodedDataset])
def test_the_data_loader_does_the_same_job(tmp_path, kind):
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    image = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
    image.save(tmp_path / "images" / "a.jpg")
    labels = np.kron(rng.integers(0, 5, (15, 20)), np.ones((2, 2))).astype("uint8")
    Image.fromarray(labels).save(tmp_path / "labels" / "a.png")
    files = [(str(tmp_path / "images" / "a.jpg"), str(tmp_path / "labels" / "a.png"))]
    (ours,) = paired_folders(tmp_path, 5, (15, 15), load_size=15).as_numpy_iterator()
    theirs = kind(files, 15, 15, True)[0]
    turns = [np.s_[:], np.s_[:, ::-1]]
    assert any(np.array_equal(theirs["image"], ours["image"][0][turn]) for turn in turns)
    assert theirs["labels"].shape == ours["labels"][0].shape
    assert set(theirs["labels"].numpy().ravel()) <= set(range(5))
