"""What is to be measured."""

from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = ("jax", "tensorflow", "torch")  # The quickest to import first.


@dataclass(frozen=True)
class Subject:
    """Somebody who can be measured, by `make(device, settings, samples, **options)` of a module."""

    backend: str  # The library that it needs, of `BACKENDS`.
    module: str
    options: dict = field(default_factory=dict)
    ours: bool = True  # Whether it runs `keras_spade`.
    checkout: str = str(ROOT)  # The folder that `keras_spade` is imported from.


@dataclass(frozen=True)
class Pair:
    """A subject, and the one that takes turns with it; `None`: nobody does."""

    name: str
    subject: Subject
    base_name: str = ""
    base: Subject | None = None


@dataclass(frozen=True)
class Group:
    """Cases that one process of a subject goes through, until one fails."""

    columns: dict  # What the group is called in the table.
    settings: object  # What the subjects are built from; it can be pickled.
    cases: tuple  # Dicts that `Run.prepare` takes; columns of the table, too.
    precision: str = "float32"  # "tf32", "bfloat16"


@dataclass(frozen=True)
class Job:
    """What the process of a subject is told."""

    subject: Subject
    settings: object
    precision: str
    samples: str | None  # The path of an `.npz`.
    cores: int  # 0: all.


@dataclass(frozen=True)
class Limits:
    """How long it is measured."""

    rounds: int = 7  # Turns of each subject.
    turn_seconds: float = 0.5  # What a turn takes, about.
    case_seconds: float = 120.0  # After which, but two rounds, a case ends.
    deadline: float | None = None  # `time.monotonic()` after which no case begins.
