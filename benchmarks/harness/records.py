"""What has been measured so far, in memory and, so that a run can go on, in a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """A case of a subject: its numbers, or why there are none.

    Three numbers are a median and percentiles 10 and 90; of a step over all steps, of ratios to the
    base over rounds.
    """

    columns: dict  # Of group and case; of the group only, if the subject could not be built.
    subject: str
    why: str = ""  # There is no number.
    samples: int = 0  # In a step; 0: not counted.
    flops: float = 0  # Floating point operations of a step; 0: not counted.
    seconds: list | None = None  # Of a step, three.
    processor: list | None = None  # Processor seconds, three.
    base: list | None = None  # The base's seconds in the same rounds, three.
    ratio: list | None = None  # Of seconds, three.
    processor_ratio: list | None = None  # Of processor seconds, three.
    base_why: str = ""  # There is a base, and no ratio.
    first: float = 0  # Seconds of the first step.
    held: int = 0  # Bytes before the first step.
    above: int = 0  # Bytes that the peak of all steps of the case adds.
    later: int | None = None  # The same without the first step; `None`: not known.
    above_ratio: float | None = None  # Of `above`.
    note: str = ""  # Something to be said of the subject.
    others: float = 0  # The most of the machine that other processes took during a turn, 0 to 1.


@dataclass(frozen=True)
class Rate:
    """A library on its device, and the floating point operations a second of a matrix product."""

    backend: str
    device: str
    versions: dict
    precision: str
    flops: float


class Records:
    """Rows and rates.

    Args:
        path: of a file that keeps them, a line of JSON each; `None`: none. If it is there already,
            its records are read.
        settings: what they hold for, of JSON; the first line of the file.

    Raises:
        ValueError: if the file was written with other settings.
    """

    def __init__(self, path=None, settings=None):
        self.path = path and Path(path)
        self.rows, self.rates = [], []
        if self.path is not None and self.path.exists():
            first, *lines = self.path.read_text().splitlines()
            if first != json.dumps(settings):
                raise ValueError(f"{path} was written with other settings: {first}")
            for record in map(json.loads, lines):
                if "subject" in record:
                    self.rows.append(Row(**record))
                else:
                    self.rates.append(Rate(**record))
        elif self.path is not None:
            self.path.write_text(json.dumps(settings) + "\n")

    def add(self, record, again=False):
        """Keeps a row or a rate; not in the file if it is to be tried again at another time."""
        (self.rows if isinstance(record, Row) else self.rates).append(record)
        if self.path is not None and not again:
            with self.path.open("a") as file:
                print(json.dumps(asdict(record)), file=file)

    def missing(self, group, subject):
        """The cases of a group that a subject still has to run: none after a failure."""
        rows = [row for row in self.rows if row.subject == subject]
        rows = [row for row in rows if group.columns.items() <= row.columns.items()]
        if any(row.why for row in rows):
            return []
        done = [row.columns for row in rows]
        return [case for case in group.cases if group.columns | case not in done]
