"""The code shared by the commands: flags, the run, and the output."""

import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from absl import app, flags

from benchmarks.harness.machine import cores, processor
from benchmarks.harness.plan import BACKENDS, ROOT, Limits, Pair
from benchmarks.harness.process import Process
from benchmarks.harness.records import Records
from benchmarks.harness.table import notes, table
from benchmarks.harness.turns import Contest

FLAGS = flags.FLAGS
flags.DEFINE_string("base", None, "The subject that ratios refer to; the first.")
flags.DEFINE_string(
    "old", None, "The folder of another checkout, to compare each of our subjects with itself."
)
flags.DEFINE_integer("rounds", 7, "Turns of each subject.", lower_bound=1)
flags.DEFINE_float("turn_seconds", 0.5, "Approximate seconds per turn: 1 to 20 steps.")
flags.DEFINE_float(
    "case_seconds", 120, "Seconds after which no more turns start, except the first two."
)
flags.DEFINE_float("minutes", 0, "Minutes after which no subject or case starts; 0: no limit.")
flags.DEFINE_float("patience", 900, "Seconds after which a silent process is abandoned.")
flags.DEFINE_integer("cores", 0, "Cores that each process may use; 0: all.", lower_bound=0)
flags.DEFINE_bool("cpu", False, "Run on the CPU, even if there is a GPU.")
flags.DEFINE_string("records", None, "A file that stores measurements, to resume from.")
flags.DEFINE_bool("quick", False, "A tiny trial run; the numbers are meaningless.")

ENVIRONMENT = dict(os.environ)  # The user's environment, for the subjects.
NO_GPU = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}


def start(argv, quick):
    """Checks the command line, and sets the defaults of `--quick`, a dict.

    This process only makes label maps: it needs an installed backend, but no GPU.
    """
    os.environ.setdefault("KERAS_BACKEND", next(filter(find_spec, BACKENDS), BACKENDS[0]))
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    for name, value in quick.items() if FLAGS.quick else ():
        FLAGS.set_default(name, value)


def pairs(subjects, names):
    """Each subject with its base: another subject, or with `--old` itself from another checkout.

    Args:
        subjects: dict of names to the available `Subject`s.
        names: of the subjects to run.
    """
    base = FLAGS.base or names[0]
    if unknown := [name for name in [*names, base] if name not in subjects]:
        raise app.UsageError(f"--subjects: unknown: {unknown}; there are {list(subjects)}")
    if FLAGS.old is None:
        against = (base, subjects[base])
        return [Pair(name, subjects[name], *(() if name == base else against)) for name in names]
    checkout = Path(FLAGS.old).resolve()
    if not (checkout / "keras_spade").is_dir():
        raise app.UsageError(f"--old={FLAGS.old}: there is no keras_spade/")
    if others := [name for name in names if not subjects[name].ours]:
        raise app.UsageError(f"--old: only our subjects have an old self, not {others}")
    old = {name: replace(subjects[name], checkout=str(checkout)) for name in names}
    return [Pair(name, subjects[name], f"old {name}", old[name]) for name in names]


def run(command, groups, pairs_, settings, samples=None, header=(), more_notes=None, cpu=False):
    """Measures groups, and prints the table and its notes.

    Args:
        command: its name.
        groups: of cases, which all pairs run.
        pairs_: see `pairs`.
        settings: the settings of the records, a dict.
        samples: dict of arrays for the workers, or `None`.
        header: lines that describe the conditions of the numbers.
        more_notes: a function of the `Records` that returns lines, or `None`.
        cpu: whether everything runs on the CPU, whatever `--cpu` says.
    """
    bases = [pair.base_name for pair in pairs_ if pair.base is not None]
    label = "old" if FLAGS.old else bases[0] if bases else ""
    environment = ENVIRONMENT | (NO_GPU if cpu or FLAGS.cpu else {})
    settings = {"command": command, "base": label, "old": FLAGS.old, **settings}
    try:
        records = Records(FLAGS.records, settings)
    except ValueError as error:
        raise app.UsageError(str(error)) from None
    deadline = time.monotonic() + 60 * FLAGS.minutes if FLAGS.minutes else None
    limits = Limits(FLAGS.rounds, FLAGS.turn_seconds, FLAGS.case_seconds, deadline)

    def begin(name, job):
        return Process(name, job, environment, FLAGS.patience)

    with tempfile.TemporaryDirectory() as folder:
        path = None
        if samples is not None:
            path = str(Path(folder) / "samples.npz")
            np.savez(path, **samples)
        try:
            for group in groups:
                Contest(group, limits, records, begin, path, FLAGS.cores).measure(pairs_)
        finally:  # After an interruption, print the available results.
            print(table(records, label), end="\n\n")
            lines = [*machine_lines(command), *header, *notes(records)]
            lines += [] if more_notes is None else more_notes(records)
            if FLAGS.quick:
                lines.append("tiny: these numbers are meaningless")
            print("\n".join(f"- {line}" for line in lines), flush=True)
    if all(row.why for row in records.rows):
        sys.exit("Nothing was measured; the table says why.")


def machine_lines(command):
    """The command, the machine, and the commits."""
    yield f"`python -m benchmarks.{command} {shlex.join(sys.argv[1:])}`"
    count = FLAGS.cores or cores()
    python = platform.python_version()
    yield f"{processor()}, cores: {count}, {platform.system()}, python {python}"
    yield f"commit {commit(ROOT)}" + (f", old {commit(FLAGS.old)}" if FLAGS.old else "")


def commit(checkout):
    """The commit of a checkout, and whether it has uncommitted changes."""
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
