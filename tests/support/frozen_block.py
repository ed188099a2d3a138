"""A block with frozen parts, and the list of its frozen weights."""

import numpy as np

from keras_spade.layers import SPADEResBlock

X, LABELS = np.zeros((1, 4, 4, 2), "float32"), np.zeros((1, 8, 8), "int32")


def block(config=None):
    layer = SPADEResBlock(3, hidden_filters=2, num_classes=4, name="block")
    layer = layer if config is None else SPADEResBlock.from_config(config)
    layer.build(X.shape, LABELS.shape)
    return layer


def frozen(layer):
    return {w.path.partition("block/")[2] for w in layer.weights if not w.trainable}


STATISTICS = frozen(block())


def some_frozen():
    """A block with a frozen sublayer, wrapped layer and weight, and one that was unfrozen again."""
    layer = block()
    layer.norm_0.gamma.trainable = False
    layer.conv_0.layer.trainable = False
    layer.conv_1.layer.bias.trainable = False
    layer.norm_s.trainable = False
    layer.norm_s.beta.trainable = True
    return layer


PARTS = {
    "norm_0/gamma": False,
    "norm_s": False,
    "norm_s/beta": True,
    "conv_0/conv": False,
    "conv_1/conv/bias": False,
}
FROZEN = {
    "norm_0/gamma/kernel",
    "norm_0/gamma/bias",
    "norm_s/shared/kernel",
    "norm_s/shared/bias",
    "norm_s/gamma/kernel",
    "norm_s/gamma/bias",
    "conv_0/conv/kernel",
    "conv_0/conv/bias",
    "conv_1/conv/bias",
}
