"""The counts in the pattern studies."""

import numpy as np
import pytest

from benchmarks.harness.label_maps import pick_batch
from benchmarks.patterns import cost_model, crossover
from benchmarks.patterns.table_fits import fits_table, table_share

FLAT = {"labels": np.zeros((1, 256, 256), "uint16"), "image": np.zeros((1, 1, 1, 3), "uint8")}


def test_multiply_adds_of_the_paper():
    # The sums of docs/performance.md: the blocks' convolutions, and dense SPADEs.
    settings = cost_model.CostSettings(num_classes=183, label_channels=184, batch_size=1)
    cases = list(cost_model.cases(FLAT, (256, 256), settings, 64, 1))
    counts = [cost_model.multiply_adds(case, settings) for case in cases]
    total = {
        part: sum(count[part] * case["blocks"] for count, case in zip(counts, cases, strict=True))
        for part in cost_model.PARTS
    }
    assert total["convolutions"] == pytest.approx(42.01e9, rel=1e-3)
    assert total["dense"] == pytest.approx(42.01e9 + 148.91e9, rel=1e-3)
    # One label: a 5 x 5 window sees its place in the map, a 3 x 3 window less of it.
    assert cases[0]["P1 / N"] == round(9 / 64, 4)
    assert cases[0]["P2 / N"] == round(25 / 64, 4)


def test_tiles():
    labels = crossover.tiles(10, 3, 6)
    assert labels.shape == (1, 10, 10)
    assert (labels[0, :3, :3] == labels[0, 0, 0]).all()
    first, *others = crossover.cases([6], True)
    shares = [case["share"] for case in (first, *others)]
    assert first == {"map": 16, "channels": 1024, "classes": 6, "tile": 1, "share": shares[0]}
    assert shares[0] > shares[2]


def test_fits():
    # As `keras_spade` decides on JAX: 12 * 5 / 256 rows a pixel, one where the map is small.
    assert table_share(256, 5) == pytest.approx(0.234375)
    assert table_share(60, 5) == 1.0
    rng = np.random.default_rng(0)
    noise = FLAT | {"labels": rng.integers(0, 9, (1, 256, 256), dtype="uint16")}
    batches = [pick_batch(maps, 0, 1) for maps in (FLAT, noise)]
    rows = [line.strip("|").split("|") for line in fits_table(batches).splitlines()]
    assert rows[2][0].strip() == "generator"
    assert [cell.strip() for cell in rows[2][-3:]] == ["1", "0", "1"]
    assert [cell.strip() for cell in rows[5][-3:]] == ["2", "0", "0"]
