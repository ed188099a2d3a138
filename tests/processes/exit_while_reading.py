"""Processes that exit while samples are read: `exit_while_reading.py FOLDER WAY PROCESSES`.

Prints how many ended with each exit code; "hung" counts those that did not end within 120 s. They
are forked from a process that has imported TensorFlow but not used it, so each takes a second, not
five. With "eagerly" after the number, models run eagerly, which reaches the end sooner.
"""

import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.tiny_gan import tiny_gan

from keras_spade.datasets import by_epoch, paired_folders

PATIENCE = 120
FOLDER, WAY, PROCESSES = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])


def files(classes):
    """The files in the folder, some of which contain the id 3."""
    return paired_folders(
        FOLDER, classes, (32, 32), 2, load_size=(36, 36), flip=True, void_class=False
    )


def interrupt(*_):
    """Does the same as Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def own_function():
    """A dataset of `by_epoch` whose epochs call a slow Python function that fails."""

    def read(number):
        time.sleep(0.05)
        if number == 3:
            raise ValueError("the fourth sample is bad")
        return number

    def for_epoch(epoch, first_batch):
        data = tf.data.Dataset.range(100).skip(first_batch)
        return data.map(
            lambda number: tf.numpy_function(read, [number], tf.int64), num_parallel_calls=4
        )

    return by_epoch(for_epoch, 100)


def go():
    """Exits in the requested way."""
    if WAY == "bad file":
        list(files(3))
    elif WAY == "own function":
        list(own_function())
    elif WAY in ("fit", "evaluate"):
        gan = tiny_gan(run_eagerly="eagerly" in sys.argv)
        getattr(gan, WAY)(files(3), verbose=0)
    elif WAY == "interrupted fit":
        threading.Timer(3, interrupt).start()
        tiny_gan(run_eagerly="eagerly" in sys.argv).fit(files(4), epochs=1000, verbose=0)
    else:
        global batches  # until Python ends
        batches = iter(files(4).repeat())
        next(batches)
        if WAY == "interrupted":
            threading.Timer(0.05, interrupt).start()
            for _ in batches:
                pass
        elif WAY == "sys.exit":
            sys.exit(7)
        elif WAY == "exception":
            raise RuntimeError("of another kind")
        assert WAY == "end of the script"


def ended(process):
    """The exit code, or "hung"."""
    for _ in range(20 * PATIENCE):
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return "hung"


child, codes = False, []
for _ in range(PROCESSES):
    process = os.fork()
    if not process:
        child = True
        break
    codes.append(ended(process))
if child:
    go()
else:
    print(dict(Counter(codes)))
