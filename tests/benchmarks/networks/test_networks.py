"""The command for networks: subjects, flags, and small runs."""

import importlib.util
import json
import os
import re
import subprocess
import sys

import pytest
from absl import app

from benchmarks.harness.plan import ROOT
from benchmarks.networks.batch_sizes import batch_sizes
from benchmarks.networks.settings import TASKS
from benchmarks.networks.subjects import DEFAULT, SUBJECTS


def test_subjects():
    assert len(SUBJECTS) == 7 + 4 + 3 * 3 * 2 + 3
    assert SUBJECTS["ours jax dense folded"].options == {"modulation": "dense", "folded": True}
    assert SUBJECTS["ours tensorflow"].options == {"modulation": "auto", "folded": False}
    assert [SUBJECTS[name].backend for name in ("monai", "ours jax patterns")] == ["torch", "jax"]
    assert {subject.ours for name, subject in SUBJECTS.items() if "ours" in name} == {True}
    assert not any(SUBJECTS[name].ours for name in ("torch", "torch compile folded", "monai"))
    assert set(DEFAULT) < set(SUBJECTS)
    for subject in SUBJECTS.values():
        assert importlib.util.find_spec(subject.module)


def test_batch_sizes():
    assert batch_sizes("1,4,2") == [1, 2, 4]
    assert batch_sizes("3..13") == [3, 6, 12]
    assert batch_sizes("1..")[-1] == 4096
    with pytest.raises(app.UsageError, match="--batch_sizes=0"):
        batch_sizes("0")


def cells(text):
    table = text.split("\n\n")[0]
    head, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()
    )
    return [dict(zip(head, row, strict=True)) for row in rows]


def networks(*flags, check=True):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.networks", "--quick", "--rounds=2", *flags],
        check=check,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=600,
    )


@pytest.mark.slow
def test_a_small_run(tmp_path):
    records = f"--records={tmp_path / 'run.jsonl'}"
    output = networks("--subjects=ours tensorflow dense", records).stdout
    (row,) = cells(output)
    assert [row[key] for key in ("task", "precision", "batch")] == ["inference", "float32", "1"]
    assert row["subject"] == "ours tensorflow dense"
    assert float(row["samples / s"]) > 0
    assert row["of the matrix peak"].endswith(" %")
    assert re.fullmatch(r"\d\.\d{3} GiB", row["held"])
    assert "distinct 5 x 5 label patterns" in output
    assert re.search(r"\n- commit \w+", output)
    lines = (tmp_path / "run.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["num_classes"] == 20
    assert len(lines) == 3


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_small_run_of_several(task):
    # A library that is not installed gets a row with the reason.
    subjects = ["ours tensorflow patterns", "torch", "ours torch dense", "ours jax dense"]
    rows = cells(networks(f"--tasks={task}", f"--subjects={','.join(subjects)}").stdout)
    assert {(row["task"], row["subject"]) for row in rows} == {(task, name) for name in subjects}
    assert float(rows[0]["samples / s"]) > 0
    for row, module in zip(rows[1:], ("torch", "torch", "jax"), strict=True):
        if importlib.util.find_spec(module):
            assert float(row["x the time of ours tensorflow patterns [10..90 %]"].split()[0]) > 0
        else:
            assert row["a step [10..90 %]"] == f"{module} is not installed"


@pytest.mark.slow
def test_a_small_run_of_files():
    subjects = ["ours tensorflow", "exported tf_saved_model", "exported onnx", "exported litert"]
    rows = cells(networks(f"--subjects={','.join(subjects)}").stdout)
    assert [row["subject"] for row in rows] == subjects
    for row in rows:
        if row["subject"] != "exported onnx" or importlib.util.find_spec("onnxruntime"):
            assert float(row["samples / s"]) > 0


@pytest.mark.slow
def test_another_checkout_takes_turns(tmp_path):
    (tmp_path / "keras_spade").symlink_to(ROOT / "keras_spade")
    result = networks("--subjects=ours tensorflow dense", f"--old={tmp_path}", check=False)
    # The link leads here, so the file is not the one that it claims to be.
    assert "keras_spade came from" in result.stdout


@pytest.mark.slow
def test_why_nothing_was_measured():
    # Instance norm needs more than the 1 x 1 map that the encoder would compute from this.
    flags = ("--subjects=ours tensorflow dense", "--tasks=training_step", "--width=32")
    result = networks(*flags, "--height=32", check=False)
    assert result.returncode
    assert "Nothing was measured" in result.stderr
    assert "six halvings" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--subjects=street", "--subjects: unknown: ['street']"),
        ("--height=100", "--height=100 is not divisible by 32"),
        ("--data=street", "--data must be scenes"),
        ("--old=nowhere", "--old=nowhere: there is no keras_spade/"),
        (f"--old={os.curdir}", "--old: only our subjects have an old self, not ['torch"),
    ],
)
def test_bad_flags_are_refused(flag, message):
    result = networks(flag, check=False)
    assert result.returncode and message in result.stdout + result.stderr
