"""Times epochs from files, records and memory against Keras and a PyTorch DataLoader, on the CPU.

    python -m benchmarks.input --data=../shared/data/camvid/train
    python -m benchmarks.input --pairs=100000

`pipelines.py` describes the task. Every pipeline runs in its own process and takes turns
with the base; a step is an epoch, with caches and workers already set up. Processor time covers
all threads and workers, and is less affected by other processes.

With --pairs, it writes that many small pairs of files and reports how long a dataset of them takes
to make, and how much memory it uses.
"""

import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags
from PIL import Image

from benchmarks.harness import command
from benchmarks.harness.plan import Group
from benchmarks.input.large_set import large_set_table
from benchmarks.input.pipelines import SUBJECTS, PipelineSettings

FLAGS = flags.FLAGS
flags.DEFINE_list("subjects", list(SUBJECTS), "Who runs.")
flags.DEFINE_string("data", None, "A folder with images/ and labels/.")
flags.DEFINE_integer(
    "num_classes", 12, "Number of ids in the label maps, including void.", lower_bound=1
)
flags.DEFINE_integer("batch_size", 8, "Samples in a batch.", lower_bound=1)
flags.DEFINE_integer("workers", 2, "Workers of the DataLoader.", lower_bound=1)
flags.DEFINE_integer("pairs", 0, "Measure memory and startup time for that many pairs instead.")

QUICK = {"rounds": 2, "workers": 1, "turn_seconds": 0.05}


def main(argv):
    """Measures and prints."""
    command.start(argv, QUICK)
    if FLAGS.pairs:
        print(large_set_table(FLAGS.pairs), end="\n\n")
        print("\n".join(f"- {line}" for line in command.machine_lines("input")))
        return
    with tempfile.TemporaryDirectory() as folder:
        if FLAGS.data is None and not FLAGS.quick:
            raise app.UsageError("--data is needed.")
        data = draw_pairs(Path(folder)) if FLAGS.data is None else Path(FLAGS.data).resolve()
        try:
            settings = PipelineSettings(str(data), FLAGS.num_classes, FLAGS.workers, folder)
        except ValueError as error:
            raise app.UsageError(str(error)) from None
        group = Group({}, settings, ({"batch": FLAGS.batch_size},))
        header = [f"{FLAGS.workers} workers of the DataLoader; a step is an epoch"]
        pairs = command.pairs(SUBJECTS, FLAGS.subjects)
        about = {"data": FLAGS.data, "num_classes": FLAGS.num_classes, "workers": FLAGS.workers}
        command.run("input", [group], pairs, about, header=header, cpu=True)


def draw_pairs(folder, count=16):
    """Writes a few photographs of noise and label maps."""
    rng = np.random.default_rng(0)
    for name, shape, ending in (("images", (90, 120, 3), "jpg"), ("labels", (90, 120), "png")):
        (folder / name).mkdir()
        for number in range(count):
            array = rng.integers(0, 256 if ending == "jpg" else 5, shape, dtype="uint8")
            Image.fromarray(array).save(folder / name / f"{number}.{ending}")
    return folder


if __name__ == "__main__":
    app.run(main)
