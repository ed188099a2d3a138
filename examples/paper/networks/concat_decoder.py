"""The decoder of `SPADEGenerator` without SPADE."""

import keras

from examples.paper.networks.baseline import Baseline, check_divisible

# Width of each block, as a factor of `base_filters`.
FACTORS = dict(head_0=16, middle_0=16, middle_1=16, up_0=8, up_1=4, up_2=2, up_3=1)


@keras.saving.register_keras_serializable(package="keras_spade_paper")
class ConcatDecoder(Baseline):
    """The paper's "decoder w/ Concat": SPADE's decoder, with the label map as an input instead.

    The graph is that of `SPADEGenerator(latent_dim=None)`. But each SPADE is a norm that does not
    see the label map, and instead the one-hot label map, resized by nearest neighbours, is
    concatenated to the input of every convolution after the first. (The paper does not say which
    layers get it.)

    Args:
        num_classes: number of label classes.
        image_shape: `(height, width, channels)`; height and width must be divisible by 32.
        base_filters: as in `SPADEGenerator`.
        norm: see `Baseline`.
        affine: see `Baseline`.
        spectral_norm: see `Baseline`.
        **kwargs: see `Baseline`.

    Reference: Park et al. 2019 (arXiv 1903.07291), section 4.4, table 3.
    """

    ARGUMENTS = (*Baseline.ARGUMENTS, "base_filters")

    def __init__(
        self,
        num_classes,
        image_shape=(256, 256, 3),
        base_filters=64,
        norm="sync_batch",
        affine=True,
        spectral_norm=True,
        **kwargs,
    ):
        super().__init__(
            num_classes,
            image_shape,
            base_filters=base_filters,
            norm=norm,
            affine=affine,
            spectral_norm=spectral_norm,
            **kwargs,
        )

    @staticmethod
    def paint(parts, height, width, base_filters):
        """See `Baseline`."""
        check_divisible("ConcatDecoder", height, width, 32)
        x = parts.labels(16 * base_filters, 3, height // 32, width // 32, "fc")
        for name, factor in FACTORS.items():
            if name not in ("head_0", "middle_1"):
                x = keras.layers.UpSampling2D(2, interpolation="nearest", dtype=parts.dtype)(x)
            x = block(parts, x, factor * base_filters, name)
        return parts.image(parts.with_labels(parts.relu(x, 0.2)), 3, padding="same")


def block(parts, x, filters, name):
    """The residual block, as in `SPADEResBlock`."""
    y = x
    for i, width in enumerate((min(x.shape[-1], filters), filters)):
        y = parts.relu(parts.norm(y, f"{name}_norm_{i}"), 0.2)
        y = parts.conv(parts.with_labels(y), width, 3, f"{name}_conv_{i}", "same")
    if x.shape[-1] != filters:
        x = parts.with_labels(parts.norm(x, f"{name}_norm_s"))
        x = parts.conv(x, filters, 1, f"{name}_conv_s", use_bias=False)
    return keras.layers.Add(name=f"{name}_sum", dtype=parts.dtype)([x, y])
