"""The plan of a measurement."""

from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = ("jax", "tensorflow", "torch")  # The fastest to import first.


@dataclass(frozen=True)
class Subject:
    """A subject to measure, made by `make(device, settings, samples, **options)` of a module."""

    backend: str  # The library that it needs, one of `BACKENDS`.
    module: str
    options: dict = field(default_factory=dict)
    ours: bool = True  # Whether it runs `keras_spade`.
    checkout: str = str(ROOT)  # The folder from which `keras_spade` is imported.


@dataclass(frozen=True)
class Pair:
    """A subject, and the base that takes turns with it, or `None`."""

    name: str
    subject: Subject
    base_name: str = ""
    base: Subject | None = None


@dataclass(frozen=True)
class Group:
    """Cases that one process of a subject goes through, until one fails."""

    columns: dict  # The name of the group in the table.
    settings: object  # The settings of the subjects; must support pickling.
    cases: tuple  # Dicts for `Run.prepare`; also columns of the table.
    precision: str = "float32"  # "tf32", "bfloat16"


@dataclass(frozen=True)
class Job:
    """The instructions for a subject's process."""

    subject: Subject
    settings: object
    precision: str
    samples: str | None  # The path of an `.npz`.
    cores: int  # 0: all.


@dataclass(frozen=True)
class Limits:
    """Limits of the measuring time."""

    rounds: int = 7  # Turns of each subject.
    turn_seconds: float = 0.5  # Approximate seconds per turn.
    case_seconds: float = 120.0  # Seconds after which a case ends, except for the first two rounds.
    deadline: float | None = None  # `time.monotonic()` after which no case starts.
