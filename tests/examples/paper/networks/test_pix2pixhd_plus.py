import inspect

import keras
import numpy as np

from examples.paper.networks import Pix2PixHD, Pix2PixHDPlus
from keras_spade import SPADE, SpectralNorm


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


def spade_instead_of_affine(base, hidden, channels, blocks=9):
    """Additional parameters with SPADEs instead of norms with scales and offsets."""
    widths = [base * 2**i for i in range(5)]
    norms = [*widths, *[widths[-1]] * 2 * blocks, *widths[:-1]]
    return len(norms) * (9 * channels + 1) * hidden + 2 * 9 * hidden * sum(norms)


def test_parameters_with_spade_as_every_norm():
    options = {"concat": False, "norm": "spade", "hidden_filters": 5}
    network = Pix2PixHDPlus(5, (32, 48, 3), base_filters=3, blocks=1, **options)
    count = sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    without = parameters(3, 5, blocks=1) - 5 * (9 * (3 * 30 + 3 * 15 + 2 * 48) + 49 * 3)
    assert count == without + spade_instead_of_affine(3, 5, 5, blocks=1)
    # At the paper's size, 27 norms of 21376 channels in all. Table 3 has 237M.
    more = spade_instead_of_affine(64, 128, 184)
    assert more == 27 * (9 * 184 + 1) * 128 + 2 * 9 * 128 * 21376
    at_full_size = parameters(64, 184) - 184 * (9 * 64 * (30 + 15 + 18 * 16) + 49 * 3)
    assert round((at_full_size + more) / 1e6) == 238


def test_every_spade_reads_the_label_map_at_its_size():
    network = Pix2PixHDPlus(
        *(3, (32, 48, 3)),
        **{"concat": False, "norm": "spade", "hidden_filters": 8, "modulation": "dense"},
        **{"base_filters": 2, "downsamplings": 2, "blocks": 1, "initial_gain": 1.0},
    )
    spades = [layer for layer in network.layers if isinstance(layer, SPADE)]
    assert len(spades) == 1 + 2 + 2 + 2
    # All activations are zero except the beta of one SPADE at a time.
    zeros = [network.get_layer("first").kernel, *(spade.beta.kernel for spade in spades)]
    kernels = [np.array(kernel) for kernel in zeros]
    for kernel in zeros:
        kernel.assign(np.zeros(kernel.shape))
    labels = np.zeros((2, 32, 48), "int32")
    labels[1, 16:20, 20:24] = 1
    outputs = [*(spade.output for spade in spades), network.output]
    model = keras.Model(network.input, outputs)
    assert not np.any(np.array(network({"labels": labels})))
    for i, spade in enumerate(spades):
        spade.beta.kernel.assign(kernels[1 + i])
        found = [np.array(x) for x in model({"labels": labels})]
        spade.beta.kernel.assign(np.zeros(kernels[1 + i].shape))
        assert np.any(found[-1][0] != found[-1][1]), spade.name
        # Two 3 x 3 convolutions see two pixels further than the one label that changed.
        differs = np.any(found[i][0] != found[i][1], axis=-1)
        step = 32 // len(differs)
        rows, columns = (np.flatnonzero(differs.any(axis)) for axis in (1, 0))
        assert (rows[0], rows[-1]) == (16 // step - 2, 20 // step + 1), spade.name
        assert (columns[0], columns[-1]) == (20 // step - 2, 24 // step + 1), spade.name


def test_all_but_the_first_and_the_last_are_spectrally_normalised():
    network = Pix2PixHDPlus(5, (32, 48, 3), base_filters=1, blocks=2)
    normalised = {layer.name for layer in network.layers if isinstance(layer, SpectralNorm)}
    blocks = {f"block_{i}_conv_{j}" for i in (0, 1) for j in (0, 1)}
    assert normalised == blocks | {f"{way}" for way in ("down_1", "down_2", "down_3", "down_4")} | {
        f"up_{i}" for i in range(4)
    }
