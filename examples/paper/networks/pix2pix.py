"""pix2pix."""

import keras
from keras import ops

from examples.paper.networks.baseline import Baseline, check_divisible, doublings


@keras.saving.register_keras_serializable(package="keras_spade_paper")
class Pix2Pix(Baseline):
    """The U-Net of pix2pix: convolutions down to one pixel and up again, with skip connections.

    4 x 4 convolutions with stride 2, `f, 2f, 4f, 8f, 8f, 8f, 8f, 8f` filters at 256 x 256, all
    except the first and the innermost with a norm, and leaky ReLU before them; on the way up,
    transposed convolutions of ReLU, with a norm, concatenated with the features from the way down.
    Images of other sizes are halved as often as both sizes allow. Dropout, the paper's noise, is
    only used in training here, so that painting is deterministic.

    Args:
        num_classes: number of label classes.
        image_shape: `(height, width, channels)`.
        base_filters: `f` above.
        dropout: rate after the innermost transposed convolutions with `8f` filters, at most three.
        norm: see `Baseline`; with scale and offset, as in the paper.
        affine: see `Baseline`.
        **kwargs: see `Baseline`.

    Reference: Isola et al. 2017 (arXiv 1611.07004), section 3.2.1 and appendix 6.1.
    """

    ARGUMENTS = (*Baseline.ARGUMENTS, "base_filters", "dropout")

    def __init__(
        self,
        num_classes,
        image_shape=(256, 256, 3),
        base_filters=64,
        dropout=0.5,
        norm="batch",
        affine=True,
        **kwargs,
    ):
        super().__init__(
            num_classes,
            image_shape,
            base_filters=base_filters,
            dropout=dropout,
            norm=norm,
            affine=affine,
            **kwargs,
        )

    @staticmethod
    def paint(parts, height, width, base_filters, dropout):
        """See `Baseline`."""
        check_divisible("Pix2Pix", height, width, 4)
        downs = doublings(height, width, 8)
        filters = [base_filters * min(2**i, 8) for i in range(downs)]
        one_hot = parts.condition.map_at(height, width)
        x = parts.conv(one_hot, filters[0], 4, "down_0", "same", strides=2, use_bias=False)
        skips = [x]
        for i in range(1, downs):
            x = parts.conv(
                parts.relu(x, 0.2), filters[i], 4, f"down_{i}", "same", strides=2, use_bias=False
            )
            if i < downs - 1:
                x = parts.norm(x, f"down_norm_{i}")
            skips.append(x)
        for i in reversed(range(1, downs)):
            x = parts.transposed(
                parts.relu(x), filters[i - 1], 4, f"up_{i}", "same", use_bias=False
            )
            x = parts.norm(x, f"up_norm_{i}")
            if dropout and downs - i <= 3 and filters[i - 1] == 8 * base_filters:
                x = keras.layers.Dropout(dropout, dtype=parts.dtype)(x)
            x = ops.concatenate([skips[i - 1], x], axis=-1)
        return parts.image(
            parts.relu(x), 4, keras.layers.Conv2DTranspose, strides=2, padding="same"
        )
