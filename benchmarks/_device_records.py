"""What has been measured so far, in memory and, so that a run can go on, in a file."""

import json
from pathlib import Path


class Records:
    """Rows, one for each case or for what ended a subject, and rates of matrix products.

    A row is a dict of "task", "precision", "subject", "batch", and either "why" there is no number
    or the numbers of `_device_turns`. A rate is a dict of "matrix", "precision", "backend",
    "device" and "versions".

    Args:
        path: of a file that keeps them, a line of JSON each; `None`: none. If it is there already,
            its records are read.
        settings: what they hold for, a dict; the first line of the file.

    Raises:
        ValueError: if the file was written with other settings.
    """

    def __init__(self, path=None, settings=None):
        self.path = path and Path(path)
        self.all = []
        if self.path is not None and self.path.exists():
            first, *lines = self.path.read_text().splitlines()
            if json.loads(first) != settings:
                raise ValueError(f"{path} was written with other settings: {first}")
            self.all = [json.loads(line) for line in lines]
        elif self.path is not None:
            self.path.write_text(json.dumps(settings) + "\n")

    def add(self, record, again=False):
        """Keeps a record; not in the file if it is to be tried again when the run goes on."""
        self.all.append(record)
        if self.path is not None and not again:
            with self.path.open("a") as file:
                print(json.dumps(record), file=file)

    @property
    def rows(self):
        """The rows."""
        return [record for record in self.all if "matrix" not in record]

    @property
    def rates(self):
        """The rates of matrix products."""
        return [record for record in self.all if "matrix" in record]

    def missing(self, task, precision, subject, batch_sizes):
        """The batch sizes of a subject that are still to be measured: none after a failure."""
        rows = [r for r in self.rows if (r["task"], r["precision"]) == (task, precision)]
        rows = [row for row in rows if row["subject"] == subject]
        if any("why" in row for row in rows):
            return []
        done = {row["batch"] for row in rows}
        return [batch_size for batch_size in batch_sizes if batch_size not in done]
