"""Turns and their order, devices, and processes."""

import os
import sys
from dataclasses import dataclass, field

import keras
import numpy as np
import pytest

from benchmarks.harness import devices, turns
from benchmarks.harness.plan import ROOT, Group, Job, Limits, Pair, Subject
from benchmarks.harness.process import AbsentError, FailedError, Process, why
from benchmarks.harness.records import Records
from benchmarks.harness.run import Built, Memory, Prepared, Run, SkippedError, Turn
from benchmarks.harness.turns import NO_TIME, Contest

# === Turns ===


@dataclass(eq=False)
class Scripted:
    """A contestant with a given time per step and a largest batch size."""

    seconds: float
    largest: int = 8
    above: int = 5
    alive: bool = True
    asked: list = field(default_factory=list)
    built: Built = Built("torch", "a card", "gpu", {"torch": "1.0"}, "", 7)

    def ask(self, command, *arguments):
        self.asked.append((command, *arguments))
        if command == "prepare":
            if arguments[0]["batch"] > self.largest:
                raise FailedError("out of memory")
            return Prepared(9.0, self.seconds, 1, 2.0)
        if command == "turn":
            steps = arguments[1]
            return Turn([self.seconds] * steps, [2 * self.seconds] * steps, 0.0)
        return Memory(self.above, None) if command == "memory" else 1e12

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.alive = False


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(turns, "SETTLE", 0.0)


def contest(start=None, sizes=(1, 2), **limits):
    cases = tuple({"batch": size} for size in sizes)
    limits = Limits(**{"rounds": 3, "turn_seconds": 1.0} | limits)
    return Contest(Group({"task": "inference"}, None, cases), limits, Records(), start)


def pairs(*names, base="torch"):
    subject = Subject("torch", "none")
    return [Pair(n, subject, *(() if n == base else (base, subject))) for n in names]


def test_turns_alternate_with_the_base():
    ours, torch = Scripted(0.25), Scripted(0.5, above=10)
    row = contest().measure_case({"batch": 4}, "ours", ours, torch, {"batch": 4})
    assert (row.seconds, row.processor, row.base) == ([0.25] * 3, [0.5] * 3, [0.5] * 3)
    assert (row.ratio, row.processor_ratio, row.above_ratio) == ([0.5] * 3, [0.5] * 3, 0.5)
    assert (row.first, row.held, row.above, row.samples, row.flops) == (9.0, 7, 5, 1, 2.0)
    prepared = ("prepare", {"batch": 4})
    assert ours.asked == [prepared, *[("turn", i, 4) for i in range(3)], ("memory",)]
    assert torch.asked == [prepared, *[("turn", i, 2) for i in range(3)], ("memory",)]


def test_the_order_of_a_round_flips():
    order = []

    class Listed(Scripted):
        def ask(self, command, *arguments):
            if command == "turn":
                order.append((self.seconds, arguments[0]))
            return super().ask(command, *arguments)

    contest().measure_case({}, "ours", Listed(0.25), Listed(0.5), {"batch": 1})
    assert order == [(0.25, 0), (0.5, 0), (0.5, 1), (0.25, 1), (0.25, 2), (0.5, 2)]


def test_a_base_that_does_not_fit_leaves_the_time_without_ratio():
    ours, torch = Scripted(0.25), Scripted(0.5, largest=2)
    row = contest().measure_case({}, "ours", ours, torch, {"batch": 4})
    assert (row.seconds, row.ratio, row.base, row.above_ratio) == ([0.25] * 3, None, None, None)
    assert row.base_why == "out of memory"
    assert torch.asked == [("prepare", {"batch": 4}), ("release",)]
    with pytest.raises(FailedError, match="out of memory"):
        contest().measure_case({}, "torch", torch, None, {"batch": 4})


def test_the_base_stays_and_a_failure_ends_a_subject():
    started = []

    def start(name, job):
        started.append(name)
        return Scripted(0.5, largest=1 if name == "small" else 8)

    running = contest(start, sizes=(1, 2, 4))
    running.measure(pairs("small", "torch", "ours"))
    assert started == ["torch", "small", "ours"]
    rows = [(row.subject, row.columns["batch"], row.why) for row in running.records.rows]
    assert rows == [
        *[("torch", batch, "") for batch in (1, 2, 4)],
        ("small", 1, ""),
        ("small", 2, "out of memory"),
        *[("ours", batch, "") for batch in (1, 2, 4)],
    ]
    assert [rate.flops for rate in running.records.rates] == [1e12] * 3
    running.measure(pairs("small", "torch", "ours"))  # There is nothing left to do.
    assert len(started) == 3


def test_each_may_have_a_base_of_its_own():
    started = []

    def start(name, job):
        started.append((name, job.subject.checkout))
        return Scripted(0.5)

    new, old = Subject("torch", "none"), Subject("torch", "none", checkout="/old")
    running = contest(start, sizes=(1,))
    running.measure([Pair(name, new, f"old {name}", old) for name in ("a", "b")])
    here = str(ROOT)
    assert started == [("old a", "/old"), ("a", here), ("old b", "/old"), ("b", here)]
    assert [row.ratio for row in running.records.rows] == [[1.0] * 3] * 2


def test_no_case_begins_when_the_minutes_are_spent():
    running = contest(deadline=0.0)
    running.measure(pairs("torch", "ours"))
    assert [(row.subject, row.why) for row in running.records.rows] == [
        ("torch", NO_TIME),
        ("ours", NO_TIME),
    ]


def test_what_a_backend_lacks_is_asked_once():
    started = []

    def start(name, job):
        started.append(name)
        raise AbsentError(f"{job.subject.backend} is not installed")

    running = contest(start)
    torch, jax = Subject("torch", "none"), Subject("jax", "none")
    others = [Pair("compiled", torch, "torch", torch), Pair("ours", jax, "torch", torch)]
    running.measure([Pair("torch", torch), *others])
    assert started == ["torch", "ours"]
    assert [row.why.split()[0] for row in running.records.rows] == ["torch", "torch", "jax"]


# === Devices ===


def test_a_device(monkeypatch):
    monkeypatch.setattr(devices, "MATRIX", {"cpu": 8, "gpu": 8})
    monkeypatch.setattr(devices, "MATRIX_SECONDS", 0.0)
    device = devices.DEVICES[keras.backend.backend()]()
    device.set_precision("float32")
    for precision in ("float32", "bfloat16"):
        assert device.matrix_rate(precision) > 0
    array = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(device.put(array)), array)
    device.reset_peak()
    assert device.peak() > 0
    assert device.held() > 0
    if device.kind == "cpu":
        with pytest.raises(SkippedError, match="TF32 is not on this device"):
            device.set_precision("tf32")


def test_errors_in_one_line():
    assert why(ValueError("two\nlines")) == "ValueError: two lines"
    assert why(SkippedError("not here")) == "not here"
    assert len(why(ValueError("long " * 100))) == 200
    for error in (MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: allocating 1 TiB")):
        assert why(error) == "out of memory"


# === Processes ===


class EchoRun(Run):
    """Echoes the arguments of a subject; `make` is called in another process."""

    def prepare(self, case):
        self.samples = case["batch"]

    def step(self, batch):
        if self.samples == 13:
            os._exit(3)
        if self.samples > 8:
            raise ValueError("at most 8")


def make(device, settings, samples, words):
    run = EchoRun(device)
    here = "keras_spade" in sys.modules
    run.note = f"{settings} {words} {os.environ['KERAS_BACKEND']} {os.environ.get('MINE')} {here}"
    return run


@pytest.fixture
def echo(monkeypatch):
    """Starts this module's subject on the backend of the tests."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.path.dirname(__file__), str(ROOT)]))
    monkeypatch.syspath_prepend(os.path.dirname(__file__))

    def start(patience=120, **options):
        subject = Subject(keras.backend.backend(), "test_turns", {"words": "said"}, **options)
        environment = {**os.environ, "MINE": "yes"}
        return Process("echo", Job(subject, {"a": 1}, "float32", None, 1), environment, patience)

    return start


@pytest.mark.slow
def test_a_process(echo):
    with echo() as process:
        backend = keras.backend.backend()
        assert process.built.note == f"{{'a': 1}} said {backend} yes False"
        assert process.built.backend == backend
        assert process.ask("prepare", {"batch": 2}).samples == 2
        turn = process.ask("turn", 0, 3)
        assert len(turn.seconds) == len(turn.processor) == 3
        assert process.ask("memory").above >= 0
        with pytest.raises(FailedError, match="ValueError: at most 8"):
            process.ask("prepare", {"batch": 9})
        assert process.alive
        with pytest.raises(FailedError, match="The worker of 'echo' ended with code 3"):
            process.ask("prepare", {"batch": 13})
        assert not process.alive


def test_a_silent_process_is_given_up(echo):
    with pytest.raises(FailedError, match="was silent for 0 s"):
        echo(patience=0.01)
