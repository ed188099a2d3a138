"""From rows to the table, and the file of records."""

import numpy as np
import pytest

from benchmarks.harness.plan import Group
from benchmarks.harness.records import Rate, Records, Row
from benchmarks.harness.table import notes, percentiles, ratio_cell, seconds_cell, table
from benchmarks.harness.turns import NO_TIME

GIB = 2**30


def cells(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def row(subject, batch, **numbers):
    columns = {"task": "inference", "precision": "tf32", "batch": batch}
    defaults = {"held": GIB, "above": 2 * GIB, "first": 7.0, "samples": batch, "flops": 1e11}
    return Row(columns, subject, **({} if "why" in numbers else defaults) | numbers)


def rate(backend, flops):
    return Rate(backend, "a card", {backend: "1.0"}, "tf32", flops)


def test_percentiles():
    assert percentiles([11.0, *range(10)]) == [5.0, 1.0, 9.0]
    assert percentiles([3.0]) == [3.0, 3.0, 3.0]
    assert percentiles([]) is None
    values = list(np.random.default_rng(0).normal(size=8))
    np.testing.assert_allclose(percentiles(values), np.percentile(values, [50, 10, 90]))


def test_cells():
    assert seconds_cell([0.25, 0.2, 1.0]) == "250.0 ms [200.0..1000.0]"
    assert seconds_cell([2.0, 0.5, 3.25]) == "2.000 s [0.500..3.250]"
    assert ratio_cell([2.0, 0.5, 3.0]) == "2.00 [0.50..3.00]"
    assert ratio_cell([1.0125, 0.97, 1.03]) == "1.012 [0.970..1.030]"


def test_table():
    records = Records()
    times = {"seconds": [0.5, 0.25, 1.0], "processor": [1.0, 1.0, 1.0]}
    ours = {"seconds": [0.25, 0.2, 0.3], "processor": [0.5, 0.5, 0.5]}
    beside = {"base": [0.5, 0.5, 0.5], "ratio": [0.5, 0.4, 0.6], "above_ratio": 0.25}
    beside["processor_ratio"] = [0.5, 0.5, 0.5]
    records.add(row("torch", 1, **times))
    records.add(row("torch", 2, **times | {"first": 1234.0}))
    records.add(row("torch", 4, why="out of memory"))
    records.add(
        row("ours", 2, **ours | beside | {"above": GIB / 2, "note": "quick", "others": 0.2})
    )
    records.add(row("late", 1, **ours | {"base_why": "no torch", "flops": 0}))
    records.add(rate("torch", 1e12))
    records.add(rate("jax", 4e12))
    head, _, one, two, four, ours, late = cells(table(records, "torch"))
    assert head == [
        *("task", "precision", "batch", "subject", "a step [10..90 %]"),
        *(
            "x the time of torch [10..90 %]",
            "time of torch in the same rounds",
            "processor time",
            "x",
        ),
        *("samples / s", "GFLOP/s", "of the matrix peak", "held", "above held", "x", "first step"),
    ]
    # 1e11 operations in half a second, of the 4e12 that the faster library makes in one.
    start, gib = ["inference", "tf32"], "{:.3f} GiB".format
    seconds = ["500.0 ms [250.0..1000.0]", "", "", "1.000 s [1.000..1.000]", ""]
    assert one == [*start, "1", "torch", *seconds, "2", "200", "5.0 %", gib(1), gib(2), "", "7 s"]
    assert two[9:] == ["**4**", "200", "5.0 %", gib(1), gib(2), "", "1.23e+03 s"]
    assert four == [*start, "4", "torch", "out of memory", *[""] * 11]
    assert ours[4:9] == [
        *("250.0 ms [200.0..300.0]", "0.50 [0.40..0.60]", "500.0 ms [500.0..500.0]"),
        *("500.0 ms [500.0..500.0]", "0.50 [0.50..0.50]"),
    ]
    assert ours[9:] == ["8", "400", "10.0 %", gib(1), gib(0.5), "0.25", "7 s"]
    assert late[5] == "no torch"
    assert late[10:12] == ["", ""]
    lines = list(notes(records))
    assert lines[:2] == ["torch on a card: torch 1.0", "jax on a card: jax 1.0"]
    assert lines[2] == "matrix product, tf32, TFLOP/s, highest of the run: torch 1, jax 4"
    assert lines[3] == "ours: quick"
    assert "at most 20% of the machine (ours). MEASURE AGAIN" in lines[4]


def test_without_a_matrix_product_there_is_no_share():
    records = Records()
    records.add(row("torch", 1, seconds=[0.5] * 3, processor=[0.5] * 3))
    assert "of the matrix peak" not in cells(table(records, "torch"))[0]


def test_records_go_on(tmp_path):
    path, settings = tmp_path / "run.jsonl", {"height": 256}
    records = Records(path, settings)
    for subject in ("torch", "ours"):
        records.add(row(subject, 1, seconds=[0.5] * 3, ratio=[2.0] * 3))
    records.add(row("ours", 2, why="out of memory"))
    records.add(rate("torch", 1e12))
    records.add(row("torch", 2, why=NO_TIME), again=True)
    again = Records(path, settings)
    assert again.rows == records.rows[:-1]
    assert again.rates == records.rates
    cases = tuple({"batch": batch} for batch in (1, 2, 4))
    group = Group({"task": "inference", "precision": "tf32"}, None, cases)
    assert again.missing(group, "torch") == [{"batch": 2}, {"batch": 4}]
    assert again.missing(group, "ours") == []
    other = Group({"task": "training_step", "precision": "tf32"}, None, cases[:2])
    assert again.missing(other, "ours") == list(cases[:2])
    with pytest.raises(ValueError, match="other settings"):
        Records(path, {"height": 128})
