"""Time to make a dataset of very many pairs, and memory while it is read."""

import resource
import tempfile
import time
from pathlib import Path

from benchmarks.harness.machine import GIB, resident
from benchmarks.harness.table import markdown


def large_set_table(count):
    """Writes that many small pairs, iterates over them, and returns the table."""
    from PIL import Image

    from keras_spade import datasets

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, mode in (("images", "RGB"), ("labels", "L")):
            (folder / name).mkdir()
            Image.new(mode, (16, 16)).save(folder / "one.png")
            content = (folder / "one.png").read_bytes()
            for number in range(count):
                (folder / name / f"{number:07}.png").write_bytes(content)
        list(datasets.synthetic_scenes(1, batch_size=1))  # TensorFlow is loaded.
        opened = []

        def make():
            opened.append(datasets.paired_folders(folder, 1, (16, 16), 100))

        def first():
            next(iter(opened[0]))

        def read():
            for _ in opened[0]:
                pass

        rows = []
        for name, step in (
            ("making the dataset", make),
            ("first batch of 100", first),
            ("first epoch", read),
            ("second epoch", read),
        ):
            start = time.perf_counter()
            step()
            seconds = time.perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            row = [f"{seconds:.2f} s", f"{resident() / GIB:.3f} GiB", f"{peak / GIB:.3f} GiB"]
            rows.append([name, *row])
    return markdown([f"{count} pairs", "time", "memory after it", "peak so far"], rows)
