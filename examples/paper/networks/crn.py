"""CRN."""

import keras

from examples.paper.networks.baseline import Baseline, check_divisible


@keras.saving.register_keras_serializable(package="keras_spade_paper")
class CRN(Baseline):
    """The cascaded refinement network: one module per resolution, starting with 4 rows.

    Each module passes the label map of its size and the features of the previous one, enlarged
    bilinearly, through two 3 x 3 convolutions, each with layer norm and leaky ReLU; a 1 x 1
    convolution makes the image. Modules of up to 64 rows have `f` filters, those of 128 and 256
    `f / 2`, those of 512 `f / 8`, of 1024 `f / 32`. Sizes are halved until the next would have
    fewer than 4 rows or columns. Label maps are resized by nearest neighbours here, averaged in the
    paper; and where the paper trains with a perceptual loss only, here `GauGAN` trains all
    generators alike.

    Args:
        num_classes: number of label classes.
        image_shape: `(height, width, channels)`.
        base_filters: `f` above.
        norm: see `Baseline`; layer norm, with scale and offset, in the paper.
        affine: see `Baseline`.
        **kwargs: see `Baseline`.

    Reference: Chen, Koltun 2017 (arXiv 1707.09405), section 3.
    """

    ARGUMENTS = (*Baseline.ARGUMENTS, "base_filters")

    def __init__(
        self,
        num_classes,
        image_shape=(256, 256, 3),
        base_filters=1024,
        norm="layer",
        affine=True,
        **kwargs,
    ):
        super().__init__(
            num_classes, image_shape, base_filters=base_filters, norm=norm, affine=affine, **kwargs
        )

    @staticmethod
    def paint(parts, height, width, base_filters):
        """See `Baseline`."""
        check_divisible("CRN", height, width, 2)
        x = None
        for i, (rows, columns) in enumerate(resolutions(height, width)):
            filters = max(base_filters // divisor(rows), 1)
            if x is not None:
                enlarge = keras.layers.UpSampling2D(2, interpolation="bilinear", dtype=parts.dtype)
                x = enlarge(x)
            x = parts.labels(filters, 3, rows, columns, f"module_{i}_conv_0", x=x, use_bias=False)
            x = parts.relu(parts.norm(x, f"module_{i}_norm_0"), 0.2, f"module_{i}_relu_0")
            x = parts.conv(x, filters, 3, f"module_{i}_conv_1", "same", use_bias=False)
            x = parts.relu(parts.norm(x, f"module_{i}_norm_1"), 0.2, f"module_{i}_relu_1")
        return parts.image(x, 1)


def resolutions(height, width):
    """Sizes of the modules, the smallest first."""
    sizes = [(height, width)]
    while all(size % 2 == 0 and size >= 8 for size in sizes[0]):
        sizes.insert(0, (sizes[0][0] // 2, sizes[0][1] // 2))
    return sizes


def divisor(rows):
    """The divisor of the widest number of filters at a given number of rows."""
    if rows < 128:
        return 1
    if rows < 512:
        return 2
    return 8 if rows < 1024 else 32
