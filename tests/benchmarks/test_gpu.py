"""The benchmark for any device: its sums, its label maps, its worker, and one small run."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import _device_turns
import _devices
import keras
import numpy as np
import pytest
from _data import distinct_shares
from _device_batches import pick_batch, pick_batches
from _device_maps import draw_pool
from _device_records import Records
from _device_subjects import PRECISIONS, SUBJECTS, TASKS, DeviceSettings, environment
from _device_table import device_notes, device_table, percentiles
from _device_turns import NO_TIME, AbsentError, FailedError, Plan, _measure_case, measure
from _device_worker import why
from _variants import SkippedError

ROOT = Path(__file__).resolve().parents[2]
SMALL = DeviceSettings(
    task="inference",
    batch_size=0,
    height=96,
    width=160,
    num_classes=5,
    void_class=True,
    instance_edges=True,
    latent_dim=8,
    base_filters=4,
    hidden_filters=8,
    threads=1,
)


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


# === Label maps ===


def test_maps_have_as_many_patterns_as_photographs():
    # The COCO-Stuff sample has 7 to 10 % on average at 256 x 256 (docs/performance.md).
    pool = draw_pool(4, (256, 256), 182)
    assert 0.05 < distinct_shares(pick_batch(pool, 0, 4), 0)[256, 256] < 0.12
    # Scenes do not share their classes, so that two share few patterns.
    classes = [set(np.unique(labels)) for labels in pool["labels"]]
    assert all(len(a & b) < 5 for i, a in enumerate(classes) for b in classes[:i])
    assert max(map(max, classes)) < 182


def test_batches_go_through_the_pool_again_and_again():
    pool = draw_pool(3, (32, 64), 6)
    assert pool["labels"].max() < 6
    batches = pick_batches(pool, 2)
    labels = np.concatenate([batch["labels"] for batch in batches])
    np.testing.assert_array_equal(labels, np.concatenate([pool["labels"]] * 2))
    batch = batches[0]
    assert {key: (a.shape, str(a.dtype)) for key, a in batch.items()} == {
        "labels": ((2, 32, 64), "int32"),
        "edges": ((2, 32, 64), "float32"),
        "image": ((2, 32, 64, 3), "float32"),
    }
    assert set(np.unique(batch["edges"])) == {0, 1}
    assert -1 <= batch["image"].min() < -0.5 < 0.5 < batch["image"].max() <= 1


# === Table and records ===


def test_percentiles():
    assert percentiles([11.0, *range(10)]) == [5.0, 1.0, 9.0]
    assert percentiles([3.0]) == [3.0, 3.0, 3.0]
    values = list(np.random.default_rng(0).normal(size=8))
    np.testing.assert_allclose(percentiles(values), np.percentile(values, [50, 10, 90]))


def row(subject, batch, **numbers):
    row = {"task": "inference", "precision": "tf32", "subject": subject, "batch": batch}
    defaults = {"ratio": None, "peak": 2**30, "first": 7.0}
    return row | ({} if "why" in numbers else defaults) | numbers


def rate(backend, value):
    about = {"device": "a card", "versions": {backend: "1.0"}}
    return {"matrix": value, "precision": "tf32", "backend": backend} | about


def test_device_table():
    records = Records()
    records.add(row("torch", 1, seconds=[0.5, 0.25, 1.0]))
    records.add(row("torch", 2, seconds=[0.5, 0.5, 0.5], first=1234.0))
    records.add(row("torch", 4, why="out of memory"))
    records.add(row("ours", 2, seconds=[0.25, 0.2, 0.3], ratio=[2.0, 1.5, 2.5], peak=2**29))
    records.add(rate("torch", 1e12))
    records.add(rate("jax", 4e12))
    head, _, one, two, four, ours = cells(device_table(records, "torch", {"inference": 1e11}))
    assert head[9] == "times as fast as torch [10..90 %]"
    start = ["inference", "tf32", "torch"]
    # 1e11 operations in half a second, of the 4e12 that the faster library makes in one.
    seconds = ["0.5000 s", "[0.2500..1.0000]"]
    assert one == [*start, "1", *seconds, "2", "1.00 GiB", "5.0 %", "", "7 s"]
    assert two[6:] == ["**4**", "1.00 GiB", "10.0 %", "", "1.23e+03 s"]
    assert four == [*start, "4", "out of memory", *[""] * 6]
    assert ours[6:10] == ["**8**", "0.50 GiB", "20.0 %", "2.00 [1.50..2.50]"]
    notes = list(device_notes(records, {"inference": 1e11}))
    assert notes[:2] == ["torch on a card: torch 1.0", "jax on a card: jax 1.0"]
    assert "tf32, TFLOP/s, highest of the run: torch 1, jax 4" in notes[2]
    assert "inference 100" in notes[3]


def test_without_a_matrix_product_there_is_no_share():
    records = Records()
    records.add(row("torch", 1, seconds=[0.5, 0.5, 0.5]))
    assert cells(device_table(records, "torch", {"inference": 1e11}))[2][8] == ""


def test_records_go_on(tmp_path):
    path, settings = tmp_path / "run.jsonl", {"height": 256}
    records = Records(path, settings)
    records.add(row("torch", 1, seconds=[0.5, 0.5, 0.5]))
    records.add(row("ours", 1, seconds=[0.5, 0.5, 0.5]))
    records.add(row("ours", 2, why="out of memory"))
    records.add(rate("torch", 1e12))
    records.add(row("torch", 2, why=NO_TIME), again=True)
    again = Records(path, settings)
    assert again.all == records.all[:-1]
    assert again.missing("inference", "tf32", "torch", (1, 2, 4)) == [2, 4]
    assert again.missing("inference", "tf32", "ours", (1, 2, 4)) == []
    assert again.missing("training_step", "tf32", "ours", (1, 2)) == [1, 2]
    with pytest.raises(ValueError, match="other settings"):
        Records(path, {"height": 128})


# === Turns ===


class Scripted:
    """A contestant whose steps take a given time, and which holds only so large batches."""

    alive = True

    def __init__(self, seconds, largest=8):
        self.seconds, self.largest, self.asked = seconds, largest, []

    def ask(self, **command):
        ((name, argument),) = command.items()
        self.asked.append(name)
        if name == "prepare" and argument > self.largest:
            raise FailedError("out of memory")
        steps = {"prepare": 2, "turn": argument}.get(name, 0)
        return {"seconds": [9.0, *[self.seconds] * steps], "peak": 5}


def plan(**changes):
    changes = {"rounds": 3, "deadline": None, "case_seconds": 60, **changes}
    names = ("torch", "ours jax dense")
    batches = {"batch_sizes": (1, 2), "pool": "", "turn_seconds": 1.0, "patience": 60}
    return Plan(SMALL, names, "torch", **batches, log=lambda line: None, **changes)


def test_turns_alternate_and_the_first_step_does_not_count():
    ours, torch = Scripted(0.25), Scripted(0.5)
    numbers = _measure_case(plan(), ours, torch, 4)
    assert numbers == {"seconds": [0.25] * 3, "ratio": [2.0] * 3, "peak": 5, "first": 9.0}
    turns = ["prepare", "release", *["turn", "release"] * 3]
    assert ours.asked == [*turns, "peak"]
    assert torch.asked == turns


def test_a_baseline_that_does_not_fit_leaves_the_time_without_ratio():
    ours, torch = Scripted(0.25), Scripted(0.5, largest=2)
    assert _measure_case(plan(), ours, torch, 4)["ratio"] is None
    assert torch.asked == ["prepare", "release"]
    with pytest.raises(FailedError, match="out of memory"):
        _measure_case(plan(), torch, None, 4)


def test_no_case_begins_when_the_minutes_are_spent():
    records = Records()
    measure(plan(deadline=0.0), "inference", "float32", records)
    assert [(row["subject"], row["why"]) for row in records.rows] == [
        ("torch", NO_TIME),
        ("ours jax dense", NO_TIME),
    ]


def test_what_a_backend_lacks_is_asked_once(monkeypatch):
    def build(name, settings, plan):
        built.append(name)
        raise AbsentError(f"{SUBJECTS[name].backend} is not installed")

    built, records = [], Records()
    monkeypatch.setattr(_device_turns, "Contestant", build)
    names = ("torch", "torch compile", "ours jax dense")
    measure(replace(plan(), subjects=names), "inference", "float32", records)
    assert built == ["torch", "ours jax dense"]
    assert [row["why"].split()[0] for row in records.rows] == ["torch", "torch", "jax"]


# === Devices ===


def test_a_device(monkeypatch):
    monkeypatch.setattr(_devices, "MATRIX", {"cpu": 8, "gpu": 8})
    monkeypatch.setattr(_devices, "MATRIX_SECONDS", 0.0)
    device = _devices.DEVICES[keras.backend.backend()]()
    device.set_precision("float32")
    for precision in ("float32", "bfloat16"):
        assert device.matrix_rate(precision) > 0
    array = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(device.put(array)), array)
    device.reset_peak()
    assert device.peak() > 0
    if device.kind == "cpu":
        with pytest.raises(SkippedError, match="TF32 is not on this device"):
            device.set_precision("tf32")


def test_errors_in_one_line():
    assert why(ValueError("two\nlines")) == "ValueError: two lines"
    assert len(why(ValueError("long " * 100))) == 200
    for error in (MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: allocating 1 TiB")):
        assert why(error) == "out of memory"


# === Processes ===


def test_a_subject_runs_on_its_backend_alone():
    assert environment("torch compile channels_last")["KERAS_BACKEND"] == "torch"
    assert environment("ours jax patterns")["KERAS_BACKEND"] == "jax"
    assert len(SUBJECTS) == 4 + 3 * 2
    for subject in SUBJECTS.values():
        assert (ROOT / "benchmarks" / f"{subject.module}.py").exists()


def gpu(*flags, check=True):
    command = [sys.executable, "benchmarks/gpu.py", "--quick", *flags]
    return subprocess.run(
        command, check=check, capture_output=True, text=True, cwd=ROOT, timeout=600
    )


def test_a_small_run(tmp_path):
    flags = ("--tasks=inference", "--precisions=float32", "--max_batch_size=1")
    subjects = "--subjects=ours tensorflow dense"
    records = f"--records={tmp_path / 'run.jsonl'}"
    output = gpu(*flags, subjects, records).stdout
    _, _, float32 = cells(output.split("\n\n")[0])
    assert float32[:4] == ["inference", "float32", "ours tensorflow dense", "1"]
    assert float(float32[6].strip("*")) > 0
    assert float32[8].endswith(" %")
    assert "distinct 5 x 5 label patterns" in output
    lines = (tmp_path / "run.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["num_classes"] == 20
    assert len(lines) == 3


@pytest.mark.slow
def test_a_small_run_of_several(precision=PRECISIONS[0]):
    # What is not installed, or does not train, is a row that says why.
    subjects = ["torch", "ours torch patterns", "ours jax dense", "ours tensorflow patterns"]
    flags = (f"--precisions={precision}", "--max_batch_size=1", "--rounds=2")
    output = gpu(*flags, f"--subjects={','.join(subjects)}").stdout
    rows = cells(output.split("\n\n")[0])[2:]
    assert {(row[0], row[2]) for row in rows} == {(t, s) for t in TASKS for s in subjects}
    for task in TASKS:
        (numbers,) = (
            r for r in rows if r[:4] == [task, precision, "ours tensorflow patterns", "1"]
        )
        assert float(numbers[6].strip("*")) > 0


@pytest.mark.slow
def test_bad_flags_are_refused():
    for flag, message in (
        ("--subjects=street", "--subjects: unknown: ['street']"),
        ("--size=100", "--size=100 is not divisible by 32"),
    ):
        result = gpu(flag, check=False)
        assert result.returncode and message in result.stderr
