"""pix2pixHD."""

import keras

from examples.paper.networks.baseline import Baseline, check_divisible, reflected


@keras.saving.register_keras_serializable(package="keras_spade_paper")
class Pix2PixHD(Baseline):
    """The global generator of pix2pixHD, and its local enhancer around it.

    A 7 x 7 convolution of the label map to `f` channels, `downsamplings` 3 x 3 convolutions of
    stride 2 that double them, `blocks` residual blocks, as many transposed convolutions, and a
    7 x 7 convolution to the image; a norm and ReLU after each but the last, borders reflected. In
    the paper's words: c7s1-64, d128, d256, d512, d1024, R1024 (nine), u512, u256, u128, u64,
    c7s1-3.

    The enhancer works at full size with half the width, and the global generator at
    half the size: c7s1-32, d64, to which the features of the global generator before its last
    convolution are added, R64 (three), u32, c7s1-3. The half-size label map is resized by nearest
    neighbours here, averaged in the paper.

    Args:
        num_classes: number of label classes.
        image_shape: `(height, width, channels)`.
        base_filters: `f` above, of the global generator.
        downsamplings: halvings of the global generator.
        blocks: its residual blocks.
        enhancer: whether to add the local enhancer.
        concat: whether the one-hot label map is concatenated to the input of every convolution;
            see `Pix2PixHDPlus`.
        norm: see `Baseline`.
        affine: see `Baseline`.
        spectral_norm: see `Baseline`.
        **kwargs: see `Baseline`.

    Reference: Wang et al. 2018 (arXiv 1711.11585), section 3.2 and appendix A.1.
    """

    ARGUMENTS = (
        *Baseline.ARGUMENTS,
        "base_filters",
        "downsamplings",
        "blocks",
        "enhancer",
        "concat",
    )

    def __init__(
        self,
        num_classes,
        image_shape=(256, 256, 3),
        base_filters=64,
        downsamplings=4,
        blocks=9,
        enhancer=False,
        concat=False,
        norm="instance",
        affine=False,
        spectral_norm=False,
        **kwargs,
    ):
        super().__init__(
            num_classes,
            image_shape,
            base_filters=base_filters,
            downsamplings=downsamplings,
            blocks=blocks,
            enhancer=enhancer,
            concat=concat,
            norm=norm,
            affine=affine,
            spectral_norm=spectral_norm,
            **kwargs,
        )

    @staticmethod
    def paint(parts, height, width, base_filters, downsamplings, blocks, enhancer, concat):
        """See `Baseline`."""
        check_divisible("Pix2PixHD", height, width, 2 ** (downsamplings + enhancer))
        steps = Steps(parts, concat)
        if not enhancer:
            x = global_features(steps, height, width, base_filters, downsamplings, blocks)
        else:
            half = global_features(
                steps, height // 2, width // 2, base_filters, downsamplings, blocks
            )
            x = steps.first(base_filters // 2, height, width, "enhancer_first")
            x = steps.down(x, base_filters, "enhancer_down") + half
            for i in range(3):
                x = steps.block(x, f"enhancer_block_{i}")
            x = steps.up(x, base_filters // 2, "enhancer_up")
        return parts.image(steps.padded(x, 3), 7)


class Steps:
    """The steps of the generator.

    Args:
        parts: the `Parts` of the network.
        concat: as in `Pix2PixHD`.
    """

    def __init__(self, parts, concat):
        self.parts = parts
        self.concat = concat

    def first(self, filters, height, width, name):
        """The 7 x 7 convolution of the label map (c7s1)."""
        return self._activated(self.parts.reflected_labels(filters, 7, height, width, name), name)

    def padded(self, x, border):
        """Adds the labels, if every layer gets them, and a reflected border."""
        return reflected(self._labelled(x), border)

    def down(self, x, filters, name):
        """A 3 x 3 convolution of stride 2 (d)."""
        x = keras.layers.ZeroPadding2D(1, dtype=self.parts.dtype)(self._labelled(x))
        return self._activated(self.parts.conv(x, filters, 3, name, strides=2), name)

    def block(self, x, name):
        """A residual block (R)."""
        y = self.parts.conv(self.padded(x, 1), x.shape[-1], 3, f"{name}_conv_0")
        y = self._activated(y, f"{name}_conv_0")
        y = self.parts.conv(self.padded(y, 1), x.shape[-1], 3, f"{name}_conv_1")
        y = self.parts.norm(y, f"{name}_conv_1_norm")
        return keras.layers.Add(name=f"{name}_sum", dtype=self.parts.dtype)([x, y])

    def up(self, x, filters, name):
        """A 3 x 3 transposed convolution of stride 2 (u): `y[2i + k - 1] += x[i] * kernel[k]`."""
        y = self.parts.transposed(self._labelled(x), filters, 3, name)
        crop = keras.layers.Cropping2D(((1, 0), (1, 0)), dtype=self.parts.dtype)
        return self._activated(crop(y), name)

    def _labelled(self, x):
        return self.parts.with_labels(x) if self.concat else x

    def _activated(self, x, name):
        return self.parts.relu(self.parts.norm(x, f"{name}_norm"), name=f"{name}_relu")


def global_features(steps, height, width, filters, downsamplings, blocks):
    """The global generator up to the features before its last convolution."""
    x = steps.first(filters, height, width, "first")
    for i in range(1, downsamplings + 1):
        x = steps.down(x, filters * 2**i, f"down_{i}")
    for i in range(blocks):
        x = steps.block(x, f"block_{i}")
    for i in reversed(range(downsamplings)):
        x = steps.up(x, filters * 2**i, f"up_{i}")
    return x
