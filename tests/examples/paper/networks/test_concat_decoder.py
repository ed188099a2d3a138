import keras
import numpy as np

from examples.paper.networks import ConcatDecoder
from keras_spade import SPADE, SPADEGenerator, SpectralNorm

BLOCKS = ["head_0", "middle_0", "middle_1", "up_0", "up_1", "up_2", "up_3"]


def parameters(base, labels, image=3):
    """Kernels, biases, scales and offsets; `labels` channels follow the others of every input."""
    before = 16 * base
    count = 9 * labels * before + before
    for width in (16 * base, 16 * base, 16 * base, 8 * base, 4 * base, 2 * base, base):
        middle = min(before, width)
        count += 9 * (before + labels) * middle + middle + 9 * (middle + labels) * width + width
        count += 2 * before + 2 * middle
        if before != width:
            count += (before + labels) * width + 2 * before
        before = width
    return count + 9 * (before + labels) * image + image


def test_parameters():
    network = ConcatDecoder(5, (32, 64, 3), void_class=True, base_filters=2)
    count = sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    assert count == parameters(2, 6)
    # At the paper's size. Table 3 has 79M, and does not say which layers get the label map.
    assert round(parameters(64, 184) / 1e6) == 82


def test_without_labels_and_modulation_it_is_the_decoder_of_spade():
    options = {"num_classes": 3, "image_shape": (32, 64, 3), "spectral_norm": False}
    options |= {"base_filters": 2, "modulation": "dense"}
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    ours = SPADEGenerator(**options, latent_dim=None, hidden_filters=1, initial_gain=1.0)
    network = ConcatDecoder(**options)
    pairs = [(ours.get_layer(name), network.get_layer(name)) for name in ("fc", "conv_img")]
    for name in BLOCKS:
        block = ours.get_layer(name)
        parts = [part for part in ("0", "1", "s") if hasattr(block, f"conv_{part}")]
        assert len(parts) == (3 if name.startswith("up") else 2)
        for part in parts:
            spade = getattr(block, f"norm_{part}")
            for conv in (spade.gamma, spade.beta):
                conv.kernel.assign(np.zeros(conv.kernel.shape))
            conv = getattr(block, f"conv_{part}")
            pairs.append((conv, network.get_layer(f"{name}_conv_{part}")))
    for source, target in pairs:
        if source.name == "conv_img":
            source.kernel.assign(rng.normal(size=source.kernel.shape))
        kernel = np.zeros(target.kernel.shape)
        kernel[:, :, : source.kernel.shape[2]] = source.kernel
        target.kernel.assign(kernel)
    labels = {"labels": rng.integers(0, 3, (2, 32, 64)).astype("int32")}
    for training in (False, True):
        want = np.array(ours(labels, training=training))
        assert np.ptp(want) > 1
        np.testing.assert_allclose(np.array(network(labels, training=training)), want, atol=1e-4)


def test_every_convolution_sees_the_label_map_of_its_size():
    network = ConcatDecoder(3, (32, 64, 3), base_filters=1, modulation="dense")
    convs = [layer for layer in network.layers if isinstance(layer, SpectralNorm)]
    # Two for each block, four shortcuts; the first and the last are not normalised.
    assert len(convs) == 2 * 7 + 4
    convs.append(network.get_layer("conv_img"))
    assert not any(isinstance(layer, SPADE) for layer in network.layers)
    labels = np.random.default_rng(0).integers(0, 3, (1, 32, 64)).astype("int32")
    seen = keras.Model(network.input, [conv.input for conv in convs])({"labels": labels})
    for conv, x in zip(convs, seen, strict=True):
        step = 32 // x.shape[1]
        want = np.eye(3)[labels[:, ::step, ::step]]
        np.testing.assert_array_equal(np.array(x)[..., -3:], want, err_msg=conv.name)
