"""A subject in its own process, and both ends of the pipe to it."""

import importlib
import multiprocessing
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.harness.devices import DEVICES
from benchmarks.harness.machine import use_cores
from benchmarks.harness.run import Built, Memory, Prepared, SkippedError, Turn

NO_MEMORY = ("out of memory", "resource_exhausted", "resourceexhausted", "not enough memory")
LONGEST = 200


class FailedError(Exception):
    """A subject returned no number; the message gives the reason."""


class AbsentError(FailedError):
    """The same for all subjects of a backend that is missing or whose device lacks a feature."""


class Process:
    """A subject, built in its own process; a context manager.

    If the process ends too early, its last output is printed.

    Args:
        name: of the subject.
        job: its `Job`.
        environment: variables, a dict; those of the backend are added.
        patience: seconds to wait for an answer.

    Attributes:
        alive: whether it answers.
        built: a `Built`.

    Raises:
        FailedError: from the constructor and from `ask`, if there is no answer.
    """

    def __init__(self, name, job, environment, patience):
        if find_spec(job.subject.backend) is None:
            raise AbsentError(f"{job.subject.backend} is not installed")
        self.name, self.patience = name, patience
        variables = {
            **environment,
            "KERAS_BACKEND": job.subject.backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        }
        self.output = tempfile.NamedTemporaryFile("w+")
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=serve, args=(theirs, job, variables, self.output.name))
        self.process.start()
        theirs.close()
        self.alive = True
        try:
            self.built = self.ask("build")
        except FailedError:
            self.close()
            raise

    def ask(self, command, *arguments):
        """Returns the result of a method of the `Worker`."""
        try:
            self.pipe.send((command, arguments))
            if not self.pipe.poll(self.patience):
                self.process.kill()
                raise FailedError(f"was silent for {self.patience:.0f} s")
            answer = self.pipe.recv()
        except (OSError, EOFError):
            self.alive = False
            self.process.join()
            print(self.output.read()[-4000:], file=sys.stderr)
            code = self.process.exitcode
            reason = " (killed: was there enough memory?)" if code == -9 else ""
            message = f"The worker of {self.name!r} ended with code {code}{reason}"
            raise FailedError(message) from None
        if isinstance(answer, FailedError):
            raise answer
        return answer

    def close(self):
        """Ends the process."""
        self.alive = False
        self.pipe.close()
        self.process.join(30)
        self.process.kill()
        self.process.join()
        self.output.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def serve(pipe, job, environment, output):
    """Answers commands until there are no more; the output of libraries goes to a file."""
    with open(output, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    worker = Worker(job)
    while True:
        try:
            command, arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer = getattr(worker, command)(*arguments)
        except FailedError as reason:
            answer = reason
        except Exception as error:
            answer = FailedError(why(error))
        pipe.send(answer)


class Worker:
    """A subject in its process."""

    def __init__(self, job):
        self.job = job

    def build(self):
        """Builds the subject."""
        job, subject = self.job, self.job.subject
        use_cores(job.cores)
        sys.path.insert(0, subject.checkout)
        try:
            self.device = DEVICES[subject.backend]()
            self.device.set_precision(job.precision)
        except SkippedError as reason:
            raise AbsentError(str(reason)) from None
        samples = {}
        if job.samples is not None:
            with np.load(job.samples) as file:
                samples = {key: file[key] for key in file.files}
        make = importlib.import_module(subject.module).make
        self.run = make(self.device, job.settings, samples, **subject.options)
        check_origin(sys.modules.get("keras_spade"), subject.checkout)
        if {"tensorflow", "torch"} <= set(sys.modules):
            raise RuntimeError("TensorFlow and PyTorch are in one process.")
        self.device.release()
        self.held = self.device.held()
        versions = self.device.versions | self.run.versions
        about = (subject.backend, self.device.name, self.device.kind, versions)
        return Built(*about, self.run.note, self.held)

    def prepare(self, case):
        """Prepares for a case and makes steps: the first, which compiles, and others."""
        self.run.prepare(case)
        self.device.release()
        self.device.reset_peak()
        (first,) = self.run.turn(0, 0).seconds
        self.first_peak = self.device.peak()
        self.resets = self.device.reset_peak()
        seconds = self.run.turn(0, 1).seconds[-1]
        self.device.release()
        return Prepared(first, seconds, self.run.samples, self.run.flops)

    def turn(self, index, steps):
        """Makes a turn."""
        clock = self.run.turn(index, steps)
        self.device.release()
        return Turn(clock.seconds[1:], clock.processor[1:], sum(clock.processor))

    def memory(self):
        """The memory used by the case."""
        later = self.device.peak()
        above = max(self.first_peak, later) - self.held
        return Memory(above, later - self.held if self.resets else None)

    def release(self):
        """Releases unused memory."""
        self.device.release()

    def matrix(self):
        """The rate of a large matrix product; comes last, because it takes memory."""
        return self.device.matrix_rate(self.job.precision)


def check_origin(package, checkout):
    """Raises if a package was not imported from a checkout."""
    if package is not None and Path(package.__file__).resolve().parents[1] != Path(checkout):
        raise RuntimeError(f"keras_spade came from {package.__file__}, not from {checkout}")


def why(error):
    """An error in one line."""
    if isinstance(error, SkippedError):
        return str(error)
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, MemoryError) or any(words in text.lower() for words in NO_MEMORY):
        return "out of memory"
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
