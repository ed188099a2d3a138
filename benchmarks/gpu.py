"""Times our networks and the plain PyTorch model on a GPU, or whatever device there is.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --tasks=training_step --precisions=bfloat16 --records=run.jsonl
    python benchmarks/gpu.py --quick

Needs Keras and at least one of PyTorch, JAX and TensorFlow; reads no data and no network: label
maps are drawn scenes in the shape of COCO-Stuff (182 classes, void, edges). Every subject runs in a
process of its own, with its own backend, and takes turns with the baseline, which is there all the
time: ratios are those of turns that are neighbours. A turn is some steps; the first does not count,
each is timed until its result is complete, and data are on the device before. (Of ours, a training
step is one of `fit`, on JAX and TensorFlow with the copy of the batch, about a megabyte a sample.)
Between turns PyTorch gives back the memory that it does not use; JAX and TensorFlow keep theirs.

Batch sizes double until memory is out, a subject's processes and the baseline's weights being all
that is on the device. What is not installed, does not fit or fails is a row that says why. With
--records the same command, run again, goes on where it was stopped.

Precisions: "float32" without TF32, "tf32" float32 whose products may be in TF32, "bfloat16" Keras'
policy `mixed_bfloat16`, and autocast for plain PyTorch.
"""

import os
import platform
import shlex
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

from _device_subjects import PRECISIONS, ROOT, SUBJECTS, TASKS, DeviceSettings, first_installed

# Scenes need no backend, but Keras wants one that is installed.
os.environ.setdefault("KERAS_BACKEND", first_installed())
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(ROOT))

import numpy as np
from _data import distinct_shares
from _device_batches import BATCHES, pick_batches
from _device_maps import draw_pool
from _device_records import Records
from _device_table import device_notes, device_table
from _device_turns import Plan, measure
from _flops import flops
from _machine import cores, processor
from _table import shares_line
from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_list("tasks", list(TASKS), "What is measured.")
flags.DEFINE_list("precisions", list(PRECISIONS), "In what.")
flags.DEFINE_list("subjects", list(SUBJECTS), "Who runs.")
flags.DEFINE_string("baseline", "torch", "The subject that ratios refer to.")
flags.DEFINE_integer("batch_size", 1, "The first batch size; it is doubled.", lower_bound=1)
flags.DEFINE_integer("max_batch_size", 64, "The last, if it fits the memory.", lower_bound=1)

flags.DEFINE_integer("size", 256, "Rows and columns of the images.", lower_bound=32)
flags.DEFINE_integer("num_classes", 182, "Label classes, void not counted.", lower_bound=1)
flags.DEFINE_integer("base_filters", 64, "Width of all networks.", lower_bound=1)
flags.DEFINE_integer("hidden_filters", 128, "Width inside the SPADEs.", lower_bound=1)
flags.DEFINE_integer("latent_dim", 256, "0: no latent, and no encoder.", lower_bound=0)

flags.DEFINE_integer("threads", 0, "Of PyTorch on a CPU; 0: as it chooses.", lower_bound=0)
flags.DEFINE_integer("rounds", 7, "Turns of each.", lower_bound=1)
flags.DEFINE_float("turn_seconds", 0.5, "What a turn takes, about: 1 to 20 steps.")
flags.DEFINE_float("case_seconds", 60, "After which no more turns begin, but two are made.")
flags.DEFINE_float("minutes", 0, "After which no subject or batch size begins; 0: no end.")
flags.DEFINE_float("patience", 900, "Seconds after which a silent process is given up.")
flags.DEFINE_string("records", None, "A file that keeps what was measured, to go on from.")
flags.DEFINE_bool("quick", False, "Tiny networks, to see that all works; numbers mean nothing.")

QUICK = {
    "precisions": ["float32", "bfloat16"],
    "max_batch_size": 2,
    "size": 96,
    "num_classes": 20,
    "base_filters": 4,
    "hidden_filters": 8,
    "latent_dim": 4,
    "threads": 1,
    "rounds": 3,
    "turn_seconds": 0.05,
}
MOST_COUNTED = 16


def main(argv):
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    for name, value in QUICK.items() if FLAGS.quick else ():
        FLAGS.set_default(name, value)
    for flag, known in (("tasks", TASKS), ("precisions", PRECISIONS), ("subjects", SUBJECTS)):
        if unknown := [name for name in FLAGS[flag].value if name not in known]:
            raise app.UsageError(f"--{flag}: unknown: {unknown}; there are {list(known)}")
    if FLAGS.baseline not in SUBJECTS:
        raise app.UsageError(f"--baseline={FLAGS.baseline} is none of {list(SUBJECTS)}")
    if FLAGS.size % 32:
        raise app.UsageError(f"--size={FLAGS.size} is not divisible by 32.")
    given = settings()
    try:
        records = Records(FLAGS.records, asdict(given))
    except ValueError as error:
        raise app.UsageError(str(error)) from None
    log("drawing scenes")
    count = max(batch_sizes()[-1], BATCHES * FLAGS.batch_size)
    pool = draw_pool(count, (FLAGS.size, FLAGS.size), FLAGS.num_classes)
    counted = {task: flops(replace(given, task=task)) for task in FLAGS.tasks}
    try:
        measure_all(given, pool, records)
    finally:  # After an interruption, what there is.
        print(device_table(records, FLAGS.baseline, counted), end="\n\n")
        notes = [*header(pool), *device_notes(records, counted)]
        print("\n".join(f"- {line}" for line in notes), flush=True)


def settings():
    """The settings of all subjects; task and precision are set later."""
    return DeviceSettings(
        task="",
        batch_size=0,
        height=FLAGS.size,
        width=FLAGS.size,
        num_classes=FLAGS.num_classes,
        void_class=True,
        instance_edges=True,
        latent_dim=FLAGS.latent_dim or None,
        base_filters=FLAGS.base_filters,
        hidden_filters=FLAGS.hidden_filters,
        threads=FLAGS.threads,
        precision="",
    )


def batch_sizes():
    """The first and its doubles, as far as they may go."""
    sizes = [FLAGS.batch_size]
    while 2 * sizes[-1] <= FLAGS.max_batch_size:
        sizes.append(2 * sizes[-1])
    return tuple(sizes)


def measure_all(given, pool, records):
    """Measures every task in every precision."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pool.npz"
        np.savez(path, **pool)
        plan = Plan(
            settings=given,
            subjects=tuple(FLAGS.subjects),
            baseline=FLAGS.baseline,
            batch_sizes=batch_sizes(),
            pool=str(path),
            rounds=FLAGS.rounds,
            turn_seconds=FLAGS.turn_seconds,
            case_seconds=FLAGS.case_seconds,
            patience=FLAGS.patience,
            deadline=time.monotonic() + 60 * FLAGS.minutes if FLAGS.minutes else None,
            log=log,
        )
        for task in FLAGS.tasks:
            for precision in FLAGS.precisions:
                measure(plan, task, precision, records)


def header(pool):
    """What the numbers hold for."""
    yield f"`python {shlex.join(sys.argv)}`"
    machine = f"{processor()}, cores: {cores()}"
    yield f"{machine}, {platform.system()}, python {platform.python_version()}"
    yield (
        f"{FLAGS.size} x {FLAGS.size}, {settings().label_channels} label channels: "
        f"{FLAGS.num_classes} classes, void, edges"
    )
    for batch_size in batch_sizes():
        if batch_size <= MOST_COUNTED:
            shares = [distinct_shares(batch) for batch in pick_batches(pool, batch_size)]
            yield (
                f"distinct 5 x 5 label patterns, share of the pixels of a batch of {batch_size}: "
                f"{shares_line(shares)}"
            )
    if FLAGS.quick:
        yield "tiny networks: these numbers say nothing of the real ones"


def log(message):
    """Says on the error stream what is going on."""
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    app.run(main)
