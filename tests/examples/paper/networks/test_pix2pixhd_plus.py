import inspect

import numpy as np

from examples.paper.networks import Pix2PixHD, Pix2PixHDPlus
from keras_spade import SpectralNorm


def parameters(base, channels, image=3, blocks=9):
    """Kernels, biases, scales and offsets; `channels` of the label map follow every input."""
    widths = [base * 2**i for i in range(5)]
    count = 49 * channels * base + 3 * base
    for a, b in zip(widths, widths[1:], strict=False):
        count += 9 * (a + channels) * b + 3 * b + 9 * (b + channels) * a + 3 * a
    count += blocks * 2 * (9 * (widths[-1] + channels) * widths[-1] + 3 * widths[-1])
    return count + 49 * (base + channels) * image + image


def test_parameters_with_labels_at_every_layer():
    network = Pix2PixHDPlus(5, (32, 48, 3), void_class=True, base_filters=3, blocks=1)
    count = sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    assert count == parameters(3, 6, blocks=1)
    # Its default, in the arguments that both have.
    assert inspect.signature(Pix2PixHD).parameters["blocks"].default == 9
    # At the paper's size. Table 3 has 195M, and does not say which layers get the label map.
    assert round(parameters(64, 184) / 1e6) == 218


def test_without_labels_at_every_layer_it_has_the_papers_183_million():
    network = Pix2PixHDPlus(5, (32, 48, 3), base_filters=3, blocks=1, concat=False)
    count = sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    without = parameters(3, 5, blocks=1) - 5 * (9 * (3 * 30 + 3 * 15 + 2 * 48) + 49 * 3)
    assert count == without
    at_full_size = parameters(64, 184) - 184 * (9 * 64 * (30 + 15 + 18 * 16) + 49 * 3)
    assert round(at_full_size / 1e6) == 183


def test_all_but_the_first_and_the_last_are_spectrally_normalised():
    network = Pix2PixHDPlus(5, (32, 48, 3), base_filters=1, blocks=2)
    normalised = {layer.name for layer in network.layers if isinstance(layer, SpectralNorm)}
    blocks = {f"block_{i}_conv_{j}" for i in (0, 1) for j in (0, 1)}
    assert normalised == blocks | {f"{way}" for way in ("down_1", "down_2", "down_3", "down_4")} | {
        f"up_{i}" for i in range(4)
    }
