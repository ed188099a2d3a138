"""Processes exit even while samples are being read, with the expected exit code."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[1] / "processes" / "exit_while_reading.py"
# Without `PythonCalls.end`, five of five processes hung in each of these ways.
CODES = {
    "bad file": 1,
    "own function": 1,
    "exception": 1,
    "sys.exit": 7,
    "end of the script": 0,
    "interrupted": -signal.SIGINT,
    "evaluate": 1,
    "fit": 1,
    "interrupted fit": -signal.SIGINT,
}
ERRORS = {
    "bad file": "label ids out of range: 3",
    "own function": "the fourth sample is bad",
    "exception": "RuntimeError: of another kind",
    "interrupted": "KeyboardInterrupt",
    "evaluate": "label ids out of range: 3",
    "fit": "label ids out of range: 3",
    "interrupted fit": "KeyboardInterrupt",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files that take long enough to read; one in five contains an id that is not a class."""
    folder, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(0)
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
    for number in range(40):
        ids = np.kron(rng.integers(0, 3, (8, 8)), np.ones((60, 60), int)).astype("uint8")
        ids[:60, :60] = 3 if number % 5 == 0 else 0
        Image.fromarray(ids).save(folder / "labels" / f"{number}.png")
        image = rng.integers(0, 256, (480, 480, 3), dtype="uint8")
        Image.fromarray(image).save(folder / "images" / f"{number}.jpg")
    return folder


def check(folder, way, processes, *flags, cpus=None):
    affinity = [] if cpus is None else ["taskset", "-c", cpus]
    ended = subprocess.run(
        [*affinity, sys.executable, str(SCRIPT), str(folder), way, str(processes), *flags],
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[2]), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        timeout=180 + 150 * processes,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert ast.literal_eval(ended.stdout.splitlines()[-1]) == {CODES[way]: processes}
    assert ended.stderr.count(ERRORS.get(way, "")) >= processes


@pytest.mark.parametrize(
    "way",
    [
        "bad file",
        *(
            pytest.param(way, marks=pytest.mark.slow)
            for way in ("own function", "end of the script")
        ),
    ],
)
def test_a_process_exits_while_samples_are_read(folder, way):
    check(folder, way, 2)


@pytest.mark.endurance
@pytest.mark.parametrize("cpus", [None, "0"])
@pytest.mark.parametrize("way", CODES)
def test_many_processes_exit_while_samples_are_read(folder, way, cpus):
    check(folder, way, 6, cpus=cpus)
