import numpy as np
import pytest

from examples.paper.networks import Pix2Pix


def parameters(base, downs, inputs, outputs):
    """4 x 4 kernels, only the last with bias; two numbers per channel of each norm."""
    filters = [base * min(2**i, 8) for i in range(downs)]
    down = [inputs, *filters]
    kernels = sum(16 * a * b for a, b in zip(down, filters, strict=False))
    norms = sum(filters[1:-1]) + sum(filters[:-1])
    for i in range(1, downs):
        kernels += 16 * filters[i] * (1 if i == downs - 1 else 2) * filters[i - 1]
    return kernels + 16 * 2 * filters[0] * outputs + outputs + 2 * norms


def test_parameters_are_those_that_the_papers_code_prints():
    # github.com/junyanz/pytorch-CycleGAN-and-pix2pix, issue 1152: images of one channel.
    assert round(parameters(64, 8, 1, 1) / 1e6, 3) == 54.408
    assert round(parameters(64, 6, 1, 1) / 1e6, 3) == 29.238
    for base, size, downs in ((2, (256, 512), 8), (3, (96, 128), 5)):
        network = Pix2Pix(1, (*size, 1), base_filters=base, conditioning="dense")
        weights = network.trainable_weights
        count = sum(int(np.prod(w.shape)) for w in weights)
        assert count == parameters(base, downs, 1, 1)


def test_shapes_of_the_paper():
    network = Pix2Pix(3, (256, 256, 3), base_filters=1)
    rows = [network.get_layer(f"down_{i}").output.shape[1] for i in range(8)]
    assert rows == [128, 64, 32, 16, 8, 4, 2, 1]
    # Decoder and encoder maps have the same width, twice that when concatenated.
    assert [network.get_layer(f"up_{i}").output.shape[-1] for i in range(7, 0, -1)] == [
        *[8] * 4,
        *[4, 2, 1],
    ]
    assert [network.get_layer(f"up_{i}").input.shape[-1] for i in range(7, 0, -1)] == [
        *[8, 16, 16, 16, 16],
        *[8, 4],
    ]
    assert sum("dropout" in layer.name for layer in network.layers) == 3


@pytest.mark.parametrize("rate", [0.5, 0.0])
def test_dropout_is_noise_in_training_only(rate):
    network = Pix2Pix(2, (64, 64, 3), base_filters=2, dropout=rate, norm="instance")
    labels = {"labels": np.random.default_rng(0).integers(0, 2, (1, 64, 64)).astype("int32")}
    first, second = (np.array(network(labels)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    first, second = (np.array(network(labels, training=True)) for _ in range(2))
    assert np.any(first != second) == (rate > 0)
