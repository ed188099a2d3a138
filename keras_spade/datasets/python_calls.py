"""Python functions called by the threads of `tf.data`, stopped before Python exits.

On exit, Python ends every thread that returns to it. A `tf.data` thread inside a Python function
then never returns from it, and the iterator that called it waits forever when it is destroyed: the
process never exits. So before Python exits, such functions refuse new calls, and running calls are
awaited. Little is read ahead, so this takes little time.
"""

import atexit
import collections
import functools
import sys
import time
from collections.abc import Callable

# Required number of checks in a row without a call, seconds between them, longest wait in seconds.
QUIET, INTERVAL, LONGEST = 40, 0.005, 60.0
# Number of errors remembered; more than the calls that can run in parallel.
KEPT = 256


class PythonCalls:
    """The calls from `tf.data` to Python functions in this process."""

    def __init__(self):
        self.begun = 0
        self.refused = False
        self._errors = collections.deque(maxlen=KEPT)

    def guarded(self, function: Callable, advice: str = "") -> Callable:
        """Returns `function`, guarded so that it can be called until Python exits.

        Args:
            function: the function that TensorFlow calls.
            advice: the end of its error messages.
        """

        @functools.wraps(function)
        def call(*arguments):
            self.begun += 1
            if self.refused:
                raise StopIteration("Python is exiting; no more samples are read")
            try:
                return function(*arguments)
            except Exception as error:
                self._errors.append((str(error), advice))
                raise

        return call

    def error_in(self, text: str) -> str | None:
        """The message of the guarded function's error that a text reports, or `None`.

        Args:
            text: TensorFlow's message.
        """
        for message, advice in reversed(list(self._errors)):  # Readers keep adding to it.
            if message and message in text:
                return f"{message.rstrip('.')}. {advice}" if advice else message
        return None

    def end(self) -> None:
        """Refuses further calls, and waits for those that are running."""
        self.refused = True
        quiet, latest = 0, time.monotonic() + LONGEST
        while quiet < QUIET and time.monotonic() < latest:
            begun = self.begun
            try:
                time.sleep(INTERVAL)
            except KeyboardInterrupt:  # A second Ctrl-C does not cut the wait short.
                pass
            quiet = 0 if self.begun != begun or _tensorflow_is_in_python() else quiet + 1


@functools.cache
def python_calls() -> PythonCalls:
    """The `PythonCalls` of this process, ended when it exits."""
    calls = PythonCalls()
    atexit.register(calls.end)
    return calls


def _tensorflow_is_in_python():
    """Whether any thread is in a Python function called by TensorFlow, from this package or not."""
    for frame in sys._current_frames().values():
        while frame.f_back is not None:
            frame = frame.f_back
        if str(frame.f_globals.get("__name__")).startswith("tensorflow."):
            return True
    return False
