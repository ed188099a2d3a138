"""The widths of table 4."""

import numpy as np
import pytest

from examples.paper.table_4 import TABLE
from keras_spade import SPADEGenerator


def weights_of(base_filters):
    """The trainable weights of the paper's generator for ADE20K, of another width."""
    generator = SPADEGenerator(
        150,
        image_shape=(256, 256, 3),
        void_class=True,
        latent_dim=None,
        base_filters=base_filters,
        hidden_filters=128,
        modulation="dense",
    )
    return sum(int(np.prod(w.shape)) for w in generator.trainable_weights)


def test_the_rows_have_the_weights_of_the_papers_generators():
    # The number of weights is a quadratic polynomial of the width.
    small = [2, 4, 6]
    polynomial = np.polyfit(small, [weights_of(width) for width in small], 2)
    found = {v.row: np.polyval(polynomial, 64 * v.width) / 1e6 for v in TABLE.rows}
    # Millions in table 4 of the paper.
    assert found["wider"] == pytest.approx(141, abs=0.7)
    assert found["ours"] == pytest.approx(96, abs=0.7)
    assert found["compact decoder w/ SPADE"] == pytest.approx(61, abs=0.7)
    assert {v.row for v in TABLE.rows if v.width != 1} == {"wider", "compact decoder w/ SPADE"}
