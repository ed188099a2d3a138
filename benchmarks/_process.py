"""A worker, seen from the parent."""

import json
import os
import select
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path


class Process:
    """A worker, and the pipes to it; a context manager.

    Args:
        name: of the variant.
        settings: a `Settings`.
        batches: the path of the file of batches.
        worker: the script that is run.
        environment: variables, a dict, on top of those of this process.
        patience: seconds after which an answer is not waited for any more; `None`: for ever.
    """

    def __init__(
        self, name, settings, batches, worker="_worker.py", environment=None, patience=None
    ):
        worker = Path(__file__).with_name(worker)
        environment = {**os.environ, **(environment or {})}
        if settings.threads:
            environment["OMP_NUM_THREADS"] = str(settings.threads)
        self.name = name
        self.patience = patience
        self.output = tempfile.TemporaryFile("w+")
        answers, write_end = os.pipe()
        arguments = [name, json.dumps(asdict(settings)), str(batches), str(write_end)]
        self.process = subprocess.Popen(
            [sys.executable, str(worker), *arguments],
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            pass_fds=[write_end],
            env=environment,
            text=True,
        )
        os.close(write_end)
        self.answers = os.fdopen(answers)
        self.built = self._answer()

    def ask(self, **command):
        """The answer to a command."""
        try:
            print(json.dumps(command), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # The missing answer says more.
        return self._answer()

    def _answer(self):
        if not select.select([self.answers], [], [], self.patience)[0]:
            self.process.kill()
            raise TimeoutError(f"The worker of {self.name!r} was silent for {self.patience:.0f} s.")
        line = self.answers.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.output.seek(0)
        reason = " (killed: was there enough memory?)" if code == -9 else ""
        raise RuntimeError(
            f"The worker of {self.name!r} ended with code {code}{reason}. Its last words:\n"
            f"{self.output.read()[-4000:]}"
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self.answers.close()
        self.output.close()
