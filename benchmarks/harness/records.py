"""The measurements so far, in memory and, so that a run can resume, in a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """A case of a subject: its numbers, or the reason for their absence.

    Three numbers are the median and the 10th and 90th percentiles, of steps over all steps, and of
    ratios to the base over rounds.
    """

    columns: dict  # Of group and case; only of the group if the subject could not be built.
    subject: str
    why: str = ""  # The reason, if there is no number.
    samples: int = 0  # In a step; 0: not counted.
    flops: float = 0  # Floating point operations of a step; 0: not counted.
    seconds: list | None = None  # Of a step, three.
    processor: list | None = None  # Processor seconds, three.
    base: list | None = None  # The base's seconds in the same rounds, three.
    ratio: list | None = None  # Of seconds, three.
    processor_ratio: list | None = None  # Of processor seconds, three.
    base_why: str = ""  # The reason, if there is a base but no ratio.
    first: float = 0  # Seconds of the first step.
    held: int = 0  # Bytes before the first step.
    above: int = 0  # Bytes that the peak of all steps of the case adds to `held`.
    later: int | None = None  # The same without the first step; `None`: unknown.
    above_ratio: float | None = None  # Of `above`.
    note: str = ""  # A note on the subject.
    others: float = (
        0  # The largest share of the machine used by other processes during a turn, 0 to 1.
    )


@dataclass(frozen=True)
class Rate:
    """A library on its device, and the floating point operations per second of a matrix product."""

    backend: str
    device: str
    versions: dict
    precision: str
    flops: float


class Records:
    """Rows and rates.

    Args:
        path: of a file that stores them, one line of JSON each; `None`: no file. If it exists,
            its records are read.
        settings: their settings as JSON values; the first line of the file.

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
        """Stores a row or a rate; not in the file if a later run should try it again."""
        (self.rows if isinstance(record, Row) else self.rates).append(record)
        if self.path is not None and not again:
            with self.path.open("a") as file:
                print(json.dumps(asdict(record)), file=file)

    def missing(self, group, subject):
        """The cases of a group that a subject must still run: none after a failure."""
        rows = [row for row in self.rows if row.subject == subject]
        rows = [row for row in rows if group.columns.items() <= row.columns.items()]
        if any(row.why for row in rows):
            return []
        done = [row.columns for row in rows]
        return [case for case in group.cases if group.columns | case not in done]
