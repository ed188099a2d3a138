"""`TinyGenerator` without latent in plain NumPy, with norms that use batch statistics."""

import keras
import numpy as np


class PlainTiny:
    """The forward pass, in float64.

    Args:
        generator: a `TinyGenerator(latent_dim=None)`.
    """

    def __init__(self, generator):
        self.generator = generator
        self.block = generator.get_layer("head_0")

    def paint(self, labels):
        """Returns the inputs of the first and of the last norm, and the image."""
        step = labels.shape[1] // 8
        one_hot = np.eye(self.generator.num_classes)[labels[:, ::step, ::step]]
        block = self.block
        x = convolve(one_hot, *weights(self.generator.get_layer("fc")))
        y = convolve(leaky(spade(block.norm_0, x, one_hot)), *normalized_weights(block.conv_0))
        last = leaky(spade(block.norm_1, y, one_hot))
        last = convolve(last, *normalized_weights(block.conv_1))
        last = last + convolve(spade(block.norm_s, x, one_hot), *normalized_weights(block.conv_s))
        last = last.repeat(4, axis=1).repeat(4, axis=2)
        return (x, y), np.tanh(convolve(last, *weights(self.generator.get_layer("conv_img"))))


def spade(layer, x, one_hot):
    """Normalises by the batch, and modulates."""
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    hidden = np.maximum(convolve(one_hot, *weights(layer.shared)), 0)
    gamma, beta = convolve(hidden, *weights(layer.gamma)), convolve(hidden, *weights(layer.beta))
    return (x - mean) / np.sqrt(variance + layer.feature_norm.epsilon) * (1 + gamma) + beta


def convolve(x, kernel, bias=0.0):
    """Convolves with zero padding."""
    rows, columns = kernel.shape[:2]
    x = np.pad(x, ((0, 0), (rows // 2,) * 2, (columns // 2,) * 2, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), axis=(1, 2))
    return np.einsum("bhwcij,ijck->bhwk", windows, kernel) + bias


def leaky(x):
    """Leaky ReLU with slope 0.2."""
    return np.where(x > 0, x, 0.2 * x)


def weights(layer):
    """Kernel, and bias if any, in float64."""
    return [keras.ops.convert_to_numpy(weight).astype("float64") for weight in layer.weights]


def normalized_weights(layer):
    """The same for the layer of a `SpectralNorm`, with the stored vectors."""
    kernel, *bias = weights(layer.layer)
    u, v = (keras.ops.convert_to_numpy(x).astype("float64") for x in (layer.u, layer.v))
    return kernel / (v @ kernel.reshape(-1, kernel.shape[-1]) @ u), *bias
