"""Python functions that the threads of `tf.data` call, and their end before Python's own.

Python, on exiting, ends each thread that comes back to it, wherever that thread is. One of
`tf.data` that was in a Python function never returns from it then, and the iterator that called,
on being destroyed, waits for it for ever: the process never exits. So before Python exits, such
functions refuse new calls, and those that run are waited for. Little is read ahead, so this is
short.
"""

import atexit
import collections
import functools
import sys
import time

# So often in a row, so many seconds apart, no call must be seen, and so long is waited at most.
QUIET, INTERVAL, LONGEST = 40, 0.005, 60.0
# Errors whose messages are known; as many calls can run at once, and more.
KEPT = 256


class PythonCalls:
    """The calls of Python functions by `tf.data` in this process."""

    def __init__(self):
        self.begun = 0
        self.refused = False
        self._errors = collections.deque(maxlen=KEPT)

    def guarded(self, function, advice=""):
        """Returns `function` as one that can be called until Python exits.

        Args:
            function: that TensorFlow calls.
            advice: what the message of its errors ends with.
        """

        @functools.wraps(function)
        def call(*arguments):
            self.begun += 1
            if self.refused:
                raise StopIteration("Python is exiting, no more samples are read")
            try:
                return function(*arguments)
            except Exception as error:
                self._errors.append((str(error), advice))
                raise

        return call

    def error_in(self, text):
        """The message of the error of a guarded function that a text tells of, or `None`.

        Args:
            text: what TensorFlow says.
        """
        for message, advice in reversed(list(self._errors)):  # Readers go on adding to it.
            if message and message in text:
                return f"{message.rstrip('.')}. {advice}" if advice else message
        return None

    def end(self):
        """Refuses calls from now on, and waits for those that run."""
        self.refused = True
        quiet, latest = 0, time.monotonic() + LONGEST
        while quiet < QUIET and time.monotonic() < latest:
            begun = self.begun
            try:
                time.sleep(INTERVAL)
            except KeyboardInterrupt:  # Who is asked twice to exit has to wait all the same.
                pass
            quiet = 0 if self.begun != begun or _tensorflow_is_in_python() else quiet + 1


@functools.cache
def python_calls():
    """The `PythonCalls` of this process, which end when it exits."""
    calls = PythonCalls()
    atexit.register(calls.end)
    return calls


def _tensorflow_is_in_python():
    """Whether a thread runs a Python function that TensorFlow called, of this package or not."""
    for frame in sys._current_frames().values():
        while frame.f_back is not None:
            frame = frame.f_back
        if str(frame.f_globals.get("__name__")).startswith("tensorflow."):
            return True
    return False
