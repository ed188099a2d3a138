"""One variant in a process of its own; `compare.py` starts it and talks to it through pipes.

    python _worker.py NAME SETTINGS_AS_JSON BATCHES.npz ANSWERS

Of the commands, see `_serving.py`, `{"batch": i}` makes a step and answers its seconds,
`{"memory": n}` answers what is held before the first step, and the peaks of n steps.
"""

import json
import sys
import time

from _batches import read_batches
from _memory import peak, reset_peak, resident
from _serving import serve
from _variants import Settings, SkippedError, make_step


class Worker:
    """Answers commands, and keeps track of the processor time between them."""

    def __init__(self, step):
        self.step = step
        self.idle_since = time.process_time()

    def batch(self, index):
        """Seconds of a step, its processor time, and that since the step before."""
        processor, start = time.process_time(), time.perf_counter()
        self.step.run(index)
        seconds, end = time.perf_counter() - start, time.process_time()
        idle, self.idle_since = processor - self.idle_since, end
        return {"seconds": seconds, "processor": end - processor, "idle_processor": idle}

    def memory(self, steps):
        """Bytes: held before the first step, its peak, held after it, and the peak of the others.

        The first step compiles; so the others show what a step needs.
        """
        held = resident()
        resets = reset_peak()
        self.step.run(0)
        first_peak, kept = peak(), resident()
        reset_peak()
        for index in range(1, steps):
            self.step.run(index)
        return {
            "held": held,
            "first_peak": first_peak,
            "kept": kept,
            "later_peak": peak(),
            "resets": resets,
        }


def main(name, settings, path, answers):
    """Builds the variant, and answers until there are no more commands."""

    def build():
        try:
            step = make_step(name, Settings(**json.loads(settings)), read_batches(path))
        except SkippedError as reason:
            return {"skipped": str(reason)}, {}
        if {"tensorflow", "torch"} <= set(sys.modules):
            raise RuntimeError("TensorFlow and PyTorch are in one process.")
        worker = Worker(step)
        commands = {"batch": worker.batch, "memory": worker.memory}
        return {"versions": step.versions, "note": step.note}, commands

    serve(answers, build)


if __name__ == "__main__":
    main(*sys.argv[1:])
