"""Very many classes: the numbers of the one-hot map, without a table of quadratic size."""

import tracemalloc

import keras
import numpy as np
import pytest
from support.backends import differentiate
from support.harness import to_numpy

from keras_spade import MultiScaleDiscriminator, SPADEGenerator
from keras_spade.segmaps import modulation
from keras_spade.segmaps.label_patterns import LabelPatterns, one_hot_channels, one_hot_pixels
from keras_spade.segmaps.patterns import channels_of

SHAPE = (32, 32, 3)


def test_channels_are_those_of_the_one_hot_pixels_by_hand():
    assert one_hot_channels(3, has_edges=False).tolist() == [[3], [0], [1], [2], [3]]
    got = one_hot_channels(3, has_edges=True)
    assert got.tolist() == [
        [4, 4],
        [0, 4],
        [1, 4],
        [2, 4],
        [4, 4],
        [0, 3],
        [1, 3],
        [2, 3],
        [4, 3],
    ]
    for has_edges in (False, True):
        channels = 3 + has_edges
        rows = np.eye(channels + 1)[one_hot_channels(3, has_edges)].sum(axis=1)[:, :channels]
        np.testing.assert_array_equal(rows, one_hot_pixels(3, has_edges))
        assert channels_of({"channels": one_hot_channels(3, has_edges).shape}) == channels


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(SPADEGenerator, marks=pytest.mark.slow_on("tensorflow")),
        MultiScaleDiscriminator,
    ],
)
def test_outputs_and_gradients_are_those_of_few_classes(make, monkeypatch):
    rng = np.random.default_rng(0)
    labels = np.kron(rng.integers(0, 6, (2, 8, 8)), np.ones((4, 4), int)).astype("int32")
    inputs = {"labels": labels, "edges": rng.integers(0, 2, (2, 32, 32)).astype("float32")}
    arguments = {"latent_dim": None, "base_filters": 1, "hidden_filters": 2}
    if make is MultiScaleDiscriminator:
        arguments = {"base_filters": 1, "num_layers": 2}
        inputs["image"] = rng.normal(size=(4, *SHAPE)).astype("float32")

    def outputs(many):
        monkeypatch.setattr(modulation, "MANY_CLASSES", 5 if many else 2048)
        keras.utils.set_random_seed(0)
        network = make(6, SHAPE, instance_edges=True, modulation="patterns", **arguments)
        kernels = [v for v in network.trainable_variables if v.path.endswith("kernel")][:2]

        def total():
            found = keras.tree.flatten(network(inputs))
            return sum(keras.ops.mean(x**2) for x in found), found

        found, _, gradients = differentiate(total, [], kernels)
        return [to_numpy(x) for x in [*found, *gradients]]

    for few, many in zip(outputs(False), outputs(True), strict=True):
        np.testing.assert_allclose(many, few, rtol=1e-4, atol=1e-6 * np.abs(few).max())


def test_seventy_thousand_classes_take_no_table_of_their_square():
    layer = LabelPatterns(16, 16, 70_000)
    labels = np.random.default_rng(0).integers(0, 70_000, (1, 16, 16)).astype("int32")
    tracemalloc.start()
    patterns = layer(labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # With 4 bytes each, their square would take 19.6 GB.
    sizes = {name: int(np.prod(tensor.shape)) for name, tensor in patterns.items()}
    assert sizes == {"channels": 70_002, "members_0": 256 * 9, "members_1": 256 * 9, "index": 256}
    assert peak < 32 * 2**20
    spec = layer.compute_output_spec(keras.KerasTensor((1, 16, 16), "int32"))
    assert channels_of({name: tensor.shape for name, tensor in spec.items()}) == 70_000


def test_every_backend_and_device_has_patterns_of_many_classes(monkeypatch):
    monkeypatch.setattr(modulation, "on_cpu", lambda: False)
    assert modulation.resolve_modulation("auto", 182) == "dense"
    assert modulation.resolve_modulation("auto", 70_000) == "auto"
    assert modulation.resolve_modulation("dense", 70_000) == "dense"
