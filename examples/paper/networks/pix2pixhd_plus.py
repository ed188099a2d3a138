"""pix2pixHD++."""

import keras

from examples.paper.networks.pix2pixhd import Pix2PixHD


@keras.saving.register_keras_serializable(package="keras_spade_paper")
class Pix2PixHDPlus(Pix2PixHD):
    """The strong baseline of the SPADE paper: pix2pixHD with all its techniques except SPADE.

    That is, spectral norm, synchronised batch norm, and (`GauGAN`'s defaults) the hinge loss and
    two rates; with `concat`, the label map is concatenated to the input of every convolution, which
    the paper calls "pix2pixHD++ w/ Concat". With `norm="spade"` and without `concat`, it is
    "pix2pixHD++ w/ SPADE": every norm is a SPADE.

    Args:
        num_classes: number of label classes.
        image_shape: `(height, width, channels)`.
        concat: whether the label map goes to every convolution.
        norm: see `Baseline`.
        affine: see `Baseline`.
        spectral_norm: see `Baseline`.
        **kwargs: see `Pix2PixHD`.

    Reference: Park et al. 2019 (arXiv 1903.07291), section 4.4, table 3.
    """

    def __init__(
        self,
        num_classes,
        image_shape=(256, 256, 3),
        concat=True,
        norm="sync_batch",
        affine=True,
        spectral_norm=True,
        **kwargs,
    ):
        super().__init__(
            num_classes,
            image_shape,
            concat=concat,
            norm=norm,
            affine=affine,
            spectral_norm=spectral_norm,
            **kwargs,
        )
