"""Very many pairs: startup time and memory; `python -m benchmarks.input --pairs` has more."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]
PAIRS = 30_000

SCRIPT = """
import gc, os, sys, time
import tensorflow as tf
from keras_spade import datasets
folder, pairs = sys.argv[1], int(sys.argv[2])
for batch in datasets.synthetic_scenes(1, batch_size=1): pass  # TensorFlow has begun.
def mebibytes():
    gc.collect()
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20
before, start = mebibytes(), time.process_time()
data = datasets.paired_folders(folder, 1, (8, 8), 200)
next(iter(data))
print(time.process_time() - start, mebibytes() - before)
assert sum(len(batch["image"]) for batch in data) == pairs
first = mebibytes()
assert sum(len(batch["image"]) for batch in data) == pairs
print(mebibytes() - before, mebibytes() - first)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_time_to_begin_and_memory(tmp_path):
    for name, mode in (("images", "RGB"), ("labels", "L")):
        (tmp_path / name).mkdir()
        Image.new(mode, (8, 8)).save(tmp_path / "one.png")
        content = (tmp_path / "one.png").read_bytes()
        for number in range(PAIRS):
            (tmp_path / name / f"{number:06}.png").write_bytes(content)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(PAIRS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    seconds, begun, epoch, growth = map(float, done.stdout.split())
    assert seconds < 10 and begun < 100 and epoch < 300 and growth < 50, done.stdout
