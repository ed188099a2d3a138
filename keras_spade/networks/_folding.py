"""Networks for inference, with spectral norm folded into the kernels."""

import keras

from keras_spade.layers import SPADEResBlock, SpectralNorm
from keras_spade.layers.trainable_parts import copy_trainable


def fold(source: keras.layers.Layer, target: keras.layers.Layer) -> None:
    """Copies the weights of a layer to one without spectral norm, dividing kernels by sigma.

    The same parts are frozen in both.
    """
    if isinstance(source, SpectralNorm):
        target.kernel.assign(source.normalized_kernel())
        if source.layer.use_bias:
            target.bias.assign(source.layer.bias)
        copy_trainable(source.layer, target)
    elif isinstance(source, SPADEResBlock):
        target.trainable = source.trainable
        parts = ("0", "1", "s") if source.learned_shortcut else ("0", "1")
        for name in [f"{kind}_{part}" for kind in ("norm", "conv") for part in parts]:
            fold(getattr(source, name), getattr(target, name))
    else:
        target.set_weights(source.get_weights())
        copy_trainable(source, target)
