"""Times our networks beside PyTorch and MONAI, or measures their memory.

    python benchmarks/compare.py --task=inference --batch_size=1
    python benchmarks/compare.py --task=training_step --data=coco:../shared/data/coco_stuff_sample
    python benchmarks/compare.py --task=training_step --batch_size=4 --memory --variants=ours,dense
    python benchmarks/compare.py --data=folders:../shared/data/camvid/train --num_classes=35 \
        --height=256 --width=512

Every variant runs in a process of its own, on the CPU; one runs at a time. In each round every
variant makes one step on the round's batch, in an order that rotates, so that what else the machine
does hits all alike. Each round has another batch, as in training, and so have the warm-up rounds.
Rows are skipped where PyTorch or MONAI are not installed. The environment reaches the processes:
`TORCHINDUCTOR_FREEZING=1`, for one, lets torch.compile fold constants into its weights.

With --memory the variants run one after another. "Held" is the resident memory once networks,
optimizers and their slots are built, "above held" what the peak of three steps adds; the first of
them compiles. What malloc has free is given back before each reading of what is held.
"""

import os
import platform
import shlex
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="-1")

from _batches import save_batches
from _data import distinct_shares, load_batches
from _machine import busy_seconds, check_memory_left, cores, others_share, processor
from _process import Process
from _table import memory_table, shares_line, time_table
from _variants import TASKS, VARIANTS, Settings, default_variants
from absl import app, flags

FLAGS = flags.FLAGS

flags.DEFINE_enum("task", "inference", TASKS, "What is measured.")
flags.DEFINE_bool("memory", False, "Measure peak memory, not time.")
flags.DEFINE_list("variants", None, f"Of {', '.join(VARIANTS)}; most of them.")
flags.DEFINE_string("baseline", "ours", "The variant that ratios refer to.")
flags.DEFINE_integer("repeats", 7, "Rounds that count.", lower_bound=1)
flags.DEFINE_integer("warmup", 2, "Rounds before them.", lower_bound=1)
flags.DEFINE_integer("threads", 0, "Threads of each library; 0: as it chooses.", lower_bound=0)

flags.DEFINE_string(
    "data",
    "scenes",
    "'scenes' (drawn), 'coco:<dir>' (COCO-Stuff: train_img, train_label, train_inst), "
    "'folders:<dir>' (images, labels), or 'noise', 'noise:<n>': random squares of n x n pixels.",
)
flags.DEFINE_integer("num_classes", None, "Label classes, void not counted; or as in the data.")
flags.DEFINE_integer("void_label", 255, "With folders: the id of void in the files.")
flags.DEFINE_bool("void_class", None, "Whether void is a class; or as in the data.")
flags.DEFINE_integer("batch_size", 1, "Samples a step.", lower_bound=1)
flags.DEFINE_integer("height", 256, "Of the images.", lower_bound=32)
flags.DEFINE_integer("width", 256, "Of the images.", lower_bound=32)

flags.DEFINE_integer("base_filters", 64, "Width of all networks.", lower_bound=1)
flags.DEFINE_integer("hidden_filters", 128, "Width inside the SPADEs.", lower_bound=1)
flags.DEFINE_integer("latent_dim", 256, "0: no latent, and no encoder.", lower_bound=0)

MEMORY_STEPS = 3
SETTLE = 0.1
DISTURBED = 0.05


def main(argv):
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    names = FLAGS.variants or default_variants(FLAGS.task)
    if unknown := [name for name in names if name not in VARIANTS]:
        raise app.UsageError(f"--variants: unknown: {unknown}; there are {list(VARIANTS)}")
    if FLAGS.baseline not in names:
        raise app.UsageError(f"--baseline={FLAGS.baseline} is none of {names}")
    batches, settings = load()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "batches.npz"
        save_batches(path, batches)
        measure = measure_memory if FLAGS.memory else measure_time
        table, notes = measure(names, settings, path)
    counted = batches if FLAGS.memory else batches[FLAGS.warmup :]
    print(table, end="\n\n")
    print("\n".join(f"- {line}" for line in (*header(settings, counted), *notes)))


def load():
    """The batches, one a round, and the settings of all variants."""
    try:
        batches, num_classes, void_class = load_batches(
            FLAGS.data,
            MEMORY_STEPS if FLAGS.memory else FLAGS.warmup + FLAGS.repeats,
            FLAGS.batch_size,
            (FLAGS.height, FLAGS.width),
            FLAGS.num_classes,
            FLAGS.void_label,
            FLAGS.void_class,
        )
    except ValueError as error:
        raise app.UsageError(str(error)) from None
    given = ("task", "batch_size", "height", "width", "base_filters", "hidden_filters", "threads")
    settings = Settings(
        **{name: FLAGS[name].value for name in given},
        num_classes=num_classes,
        void_class=void_class,
        instance_edges="edges" in batches[0],
        latent_dim=FLAGS.latent_dim or None,
    )
    return batches, settings


def header(settings, batches):
    """What the numbers hold for."""
    yield f"`python {shlex.join(sys.argv)}`"
    yield f"{processor()}, cores: {cores()}, {platform.system()}, float32"
    yield (
        f"{settings.label_channels} label channels: {settings.num_classes} classes"
        f"{', void' * settings.void_class}{', edges' * settings.instance_edges}"
    )
    shares = shares_line([distinct_shares(batch) for batch in batches])
    yield f"distinct 5 x 5 label patterns, share of the pixels of a batch: {shares}"


def start(name, settings, path):
    """A worker that has built its variant, its notes, and the versions of its libraries."""
    log(f"building {name}")
    worker = Process(name, settings, path)
    if "skipped" in worker.built:
        if name == FLAGS.baseline:
            raise app.UsageError(f"--baseline={name}: {worker.built['skipped']}")
        return worker, [f"{name}: skipped: {worker.built['skipped']}"], {}
    note = worker.built["note"]
    return worker, [f"{name}: {note}"] if note else [], worker.built["versions"]


def measure_time(names, settings, path):
    """The table of times, and notes."""
    notes, versions, workers = [], {}, {}
    with ExitStack() as stack:
        for name in names:
            worker, more, found = start(name, settings, path)
            stack.enter_context(worker)
            notes += more
            versions |= found
            if found:
                workers[name] = worker
                check_memory_left(len(workers))
        rounds = range(FLAGS.warmup + FLAGS.repeats)
        rounds = [measure_round(workers, index) for index in rounds][FLAGS.warmup :]
    seconds = {name: [answers[name]["seconds"] for answers in rounds] for name in workers}
    notes = [version_line(versions), *notes, *doubts(rounds)]
    return time_table(seconds, FLAGS.baseline), notes


def measure_round(workers, index):
    """A step of each worker: dict name -> answer, and what others took of the machine."""
    order, answers = list(workers), {}
    first = index % len(order)
    for name in order[first:] + order[:first]:
        time.sleep(SETTLE)  # The threads of the last one may wait busily, a little.
        wall, busy = time.perf_counter(), busy_seconds()
        answer = workers[name].ask(batch=index)
        busy, wall = busy_seconds() - busy, time.perf_counter() - wall
        answer["others"] = others_share(busy, answer["processor"], wall)
        log(
            f"round {index - FLAGS.warmup + 1}: {name}: {answer['seconds']:.3f} s, "
            f"others took {answer['others']:.0%} of the machine"
        )
        answers[name] = answer
        check_memory_left(len(workers))
    return answers


def doubts(rounds):
    """What may have disturbed the measurement."""
    taken = {name: max(answers[name]["others"] for answers in rounds) for name in rounds[0]}
    worst = max(taken, key=taken.get)
    again = " MEASURE AGAIN: threads that wait for each other lose many times that."
    yield (
        f"taken by other processes during a step: at most {taken[worst]:.0%} of the machine "
        f"({worst}).{again * (taken[worst] > DISTURBED)}"
    )
    waits = {name: max(answers[name]["idle_processor"] for answers in rounds) for name in taken}
    worst = max(waits, key=waits.get)
    yield f"processor time of a worker between its steps: at most {waits[worst]:.2f} s ({worst})"


def measure_memory(names, settings, path):
    """The table of memory, and notes."""
    notes, versions, memory = [], {}, {}
    for name in names:
        worker, more, found = start(name, settings, path)
        with worker:
            notes += more
            versions |= found
            if found:
                memory[name] = worker.ask(memory=MEMORY_STEPS)
    if not all(answer["resets"] for answer in memory.values()):
        notes.append("the peak could not be reset: it counts from the start of the process")
    return memory_table(memory, FLAGS.baseline), [version_line(versions), *notes]


def version_line(versions):
    """Libraries and their versions."""
    versions = {"python": platform.python_version(), **versions}
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def log(message):
    """Says on the error stream what is going on."""
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    app.run(main)
