"""A subject running in its own process, and its reports."""

import time
from dataclasses import dataclass

from benchmarks.harness.machine import processor_seconds


class SkippedError(Exception):
    """A subject cannot run here; the message gives the reason."""


@dataclass(frozen=True)
class Built:
    """A subject on its device ("cpu" or "gpu"), and the bytes it holds before any step."""

    backend: str
    device: str
    kind: str
    versions: dict
    note: str
    held: int


@dataclass(frozen=True)
class Prepared:
    """Seconds of the first step of a case and of another; samples and operations of a step."""

    first: float
    seconds: float
    samples: int
    flops: float


@dataclass(frozen=True)
class Turn:
    """Seconds and processor seconds of each counted step; processor seconds of all steps."""

    seconds: list
    processor: list
    whole: float


@dataclass(frozen=True)
class Memory:
    """Bytes above those held: of all steps of a case, and without the first (`None`: unknown)."""

    above: int
    later: int | None


class Clock:
    """Times steps until they are complete: wall clock and processor, in seconds."""

    def __init__(self, device):
        self.device = device
        self.seconds, self.processor = [], []

    def start(self):
        """Starts a step."""
        self._start = time.perf_counter(), processor_seconds()

    def stop(self, result):
        """Waits for a step's result, and ends it."""
        self.device.wait(result)
        start, processor = self._start
        self.seconds.append(time.perf_counter() - start)
        self.processor.append(processor_seconds() - processor)


class Run:
    """The steps of a subject; subclasses define `batch` and `step`.

    Attributes:
        samples: in a step of the case; 0: not counted.
        flops: floating point operations of a step of the case; 0: not counted.
        note: a note for below the table.
        versions: dict of further libraries.
    """

    samples = flops = 0
    note = ""

    def __init__(self, device):
        self.device = device
        self.versions = {}

    def prepare(self, case):
        """Prepares for another case."""

    def batch(self, index):
        """The data of a turn, on the device."""

    def step(self, batch):
        """Makes a step; returns the result to wait for."""
        raise NotImplementedError

    def turn(self, index, steps):
        """Makes a step on the previous batch, which does not count, and steps on batch `index`.

        So a counted step sees a new batch, as in training, but no cache contents left by other
        subjects. Returns a `Clock` of all steps.
        """
        clock = Clock(self.device)
        for batch in [self.batch(index - 1), *[self.batch(index)] * steps]:
            clock.start()
            clock.stop(self.step(batch))
        return clock
