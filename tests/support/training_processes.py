"""Starts `processes/train.py`, and compares the results of two runs."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).parents[1] / "processes" / "train.py"


def start(out, *flags, **variables):
    """Starts a process with readable output; errors go to a file next to `out`."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, SCRIPT.parents[1:3])),
        "CUDA_VISIBLE_DEVICES": "-1",
        **variables,
    }
    environment.pop("TF_CONFIG", None)
    with open(f"{out}.errors", "w") as errors:
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), str(out), *flags],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


def finish(process, out, timeout=900):
    """Waits for the end of a run; returns its arrays, and losses of steps and epochs."""
    output, _ = process.communicate(timeout=timeout)
    assert process.returncode == 0, output[-500:] + Path(f"{out}.errors").read_text()[-3000:]
    with np.load(out) as file:
        arrays = dict(file)
    return arrays, json.loads(str(arrays.pop("rows"))), json.loads(str(arrays.pop("history")))


def run(out, *flags, **variables):
    """Starts and finishes a run."""
    return finish(start(out, *flags, **variables), out)


def steps(process):
    """Yields the steps, `(epoch, number)`, that a run reports, while it runs."""
    for line in process.stdout:
        if line.startswith("step "):
            yield tuple(map(int, line.split()[1:]))


def largest_difference(one, other):
    """The largest difference of arrays or losses by name, and its name; NaN differs infinitely."""
    assert one.keys() == other.keys()

    def difference(name):
        apart = np.abs(np.subtract(one[name], other[name], dtype="float64"))
        return float(np.nan_to_num(apart, nan=np.inf).max())

    return max((difference(name), name) for name in one)


def assert_equal_runs(one, other, limit):
    """Asserts that weights, statistics, optimizers and losses differ by at most `limit`."""
    # The sums behind averages of losses are large; the averages themselves are among the losses.
    arrays = [
        {k: v for k, v in run[0].items() if not k.startswith("metrics")} for run in (one, other)
    ]
    assert len(one[1]) == len(other[1]) > 0
    pairs = [*zip(one[1], other[1], strict=True), (one[2], other[2]), arrays]
    found = [largest_difference(*pair) for pair in pairs]
    print("largest differences: of steps", max(found[:-2]), "of epochs, state", found[-2:])
    assert max(difference for difference, _ in found) <= limit


def free_ports(count):
    """Unused ports."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [str(s.getsockname()[1]) for s in sockets]
    for s in sockets:
        s.close()
    return ports
