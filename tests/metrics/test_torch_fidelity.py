"""torch-fidelity, reading folders of pictures, agrees with our metrics on the same features.

It would download the weights of its own Inception-v3, so the tests pass a small network instead.
"""

import numpy as np
import pytest
from PIL import Image
from support.backends import with_gradients

from keras_spade.metrics import FrechetDistance, KernelDistance

pytestmark = pytest.mark.once


def corners(images):
    """Twelve numbers of each image, as floats between 0 and 1."""
    return images[:, ::7, ::15].reshape(len(images), -1).astype("float32") / 255


@pytest.fixture
def torch_fidelity():
    return pytest.importorskip(
        "torch_fidelity", reason="torch-fidelity, of the extra 'fidelity', is not installed"
    )


def register(torch_fidelity):
    """`corners` under a name; torch-fidelity wants a class."""
    import torch
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

    class Corners(FeatureExtractorBase):
        def __init__(self, name, features_list, **kwargs):
            super().__init__(name, features_list)

        def forward(self, x):
            return (torch.from_numpy(corners(np.moveaxis(x.cpu().numpy(), 1, -1))),)

        @staticmethod
        def get_provided_features_list():
            return ("corners",)

        @staticmethod
        def get_default_feature_layer_for_metric(metric):
            return "corners"

        @staticmethod
        def can_be_compiled():
            return False

    torch_fidelity.register_feature_extractor("corners", Corners)


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_our_numbers_are_torch_fidelitys(torch_fidelity, tmp_path):
    rng = np.random.default_rng(0)
    sets = {}
    for name, high in (("painted", 200), ("real", 256)):
        sets[name] = rng.integers(0, high, (30, 8, 16, 3)).astype("uint8")
        (tmp_path / name).mkdir()
        for i, image in enumerate(sets[name]):
            Image.fromarray(image).save(tmp_path / name / f"{i:06d}.png")
    register(torch_fidelity)
    with with_gradients():
        want = torch_fidelity.calculate_metrics(
            input1=str(tmp_path / "painted"),
            input2=str(tmp_path / "real"),
            feature_extractor="corners",
            fid=True,
            kid=True,
            kid_subsets=2,
            kid_subset_size=30,
            cuda=False,
            cache=False,
            verbose=False,
        )
    found = FrechetDistance(corners), KernelDistance(corners)
    for metric in found:
        metric.update_state(sets["real"], sets["painted"])
    keys = "frechet_inception_distance", "kernel_inception_distance_mean"
    for metric, key in zip(found, keys, strict=True):
        assert float(metric.result()) == pytest.approx(want[key], rel=1e-4), key
