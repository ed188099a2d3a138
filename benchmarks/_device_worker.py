"""One subject of `gpu.py` in a process of its own; `gpu.py` starts it and talks to it by pipes.

    python _device_worker.py NAME SETTINGS_AS_JSON POOL.npz ANSWERS

Of the commands, see `_serving.py`, `{"prepare": n}` makes batches of n samples and a turn of two
steps, `{"turn": n}` makes a turn of n steps and answers the seconds of each and of one before
them, `{"peak": 0}` answers the peak of memory, `{"release": 0}` gives back what is not used, and
`{"matrix": 0}` answers the rate of a large matrix product; at last, as that takes memory. An answer
with the key "failed" says why there is none.
"""

import importlib
import json
import sys

import numpy as np
from _device_batches import pick_batches
from _device_subjects import SUBJECTS, DeviceSettings
from _devices import DEVICES
from _serving import serve
from _variants import SkippedError

NO_MEMORY = ("out of memory", "resource_exhausted", "resourceexhausted", "not enough memory")
LONGEST = 200


def build(name, settings, path):
    """The first answer, and the commands, of a subject that has been built."""
    subject = SUBJECTS[name]
    with np.load(path) as file:
        pool = {key: file[key] for key in file.files}
    try:
        device = DEVICES[subject.backend]()
        device.set_precision(settings.precision)
        make = importlib.import_module(subject.module).make
        run = make(settings, device, lambda size: pick_batches(pool, size), **subject.options)
    except SkippedError as reason:
        return {"skipped": str(reason)}, {}
    except Exception as error:
        return {"failed": why(error)}, {}

    def prepare(batch_size):
        run.prepare(batch_size)
        return {"seconds": run.turn(2)}

    def release(_):
        device.release()
        return {}

    commands = {
        "prepare": prepare,
        "turn": lambda steps: {"seconds": run.turn(steps)},
        "peak": lambda _: {"peak": device.peak()},
        "release": release,
        "matrix": lambda _: {"rate": device.matrix_rate(settings.precision)},
    }
    built = {"device": device.name, "kind": device.kind, "versions": device.versions}
    return built, {name: guarded(command) for name, command in commands.items()}


def guarded(command):
    """A command that answers why it failed; the worker goes on, and what it held is let go."""

    def answer(argument):
        try:
            return command(argument)
        except Exception as error:
            return {"failed": why(error)}

    return answer


def why(error):
    """An error in one line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, MemoryError) or any(words in text.lower() for words in NO_MEMORY):
        return "out of memory"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def main(name, settings, path, answers):
    """Builds the subject, and answers until there are no more commands."""
    serve(answers, lambda: build(name, DeviceSettings(**json.loads(settings)), path))


if __name__ == "__main__":
    main(*sys.argv[1:])
