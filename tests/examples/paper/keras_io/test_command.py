"""The command as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


def run(out, *flags):
    command = [sys.executable, "-m", "examples.paper.keras_io", "--quick", f"--out={out}", *flags]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=900
    )
    rows = [json.loads(line) for line in (out / "measurements.jsonl").read_text().splitlines()]
    return result.stdout, rows


@pytest.mark.slow
def test_a_comparison_resumes(tmp_path):
    out = tmp_path / "out"
    _, rows = run(out, "--sides=keras_io", "--times=0.2")
    assert [row["variant"] for row in rows] == ["batch", "averaged batch"]
    output, rows = run(out, "--times=0.2,0.4")
    theirs = [row for row in rows if row["run"] == "keras_io" and row["variant"] == "batch"]
    assert [row["time"] for row in theirs] == [0.2, 0.4]
    assert 0 < theirs[0]["steps"] < theirs[1]["steps"]
    assert all(row["seconds"] >= row["time"] for row in rows)
    ours = [row["variant"] for row in rows if row["run"] == "ours" and row["time"] == 0.4]
    wanted = ["moving", "calibrated", "averaged", "averaged calibrated", "batch"]
    assert sorted(ours) == sorted(wanted)
    assert "| ours | averaged calibrated | 1 |" in output and "not the literature's FID" in output
    names = {path.name for path in out.iterdir()}
    with pytest.raises(subprocess.CalledProcessError) as caught:
        run(out, "--sides=keras_io", "--times=0.0001")
    assert "--times=0.0001: keras_io-0 has been trained for" in caught.value.stderr
    assert "Traceback" not in caught.value.stderr
    assert {"table.md", "curves.png", "side_by_side.png", "protocol.json"} <= names


@pytest.mark.slow
def test_two_moments_of_one_step_have_the_same_pictures(tmp_path):
    _, rows = run(tmp_path / "out", "--sides=ours", "--times=0.0001,0.0002")
    assert [row["steps"] for row in rows] == [1] * 10
    for first, second in zip(rows[:5], rows[5:], strict=True):
        assert first["variant"] == second["variant"]
        assert first["frechet"] == pytest.approx(second["frechet"], rel=1e-4), first["variant"]
