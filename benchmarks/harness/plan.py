"""What is to be measured."""

from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = ("torch", "jax", "tensorflow")


@dataclass(frozen=True)
class Subject:
    """Somebody who can be measured.

    Attributes:
        backend: the library that it needs, of `BACKENDS`.
        module: whose `make(device, settings, samples, **options)` returns a `Run`.
        options: of `make`.
        ours: whether it runs `keras_spade`.
        checkout: the folder that `keras_spade` is imported from.
    """

    backend: str
    module: str
    options: dict = field(default_factory=dict)
    ours: bool = True
    checkout: str = str(ROOT)


@dataclass(frozen=True)
class Pair:
    """A subject, and the one that takes turns with it; `None`: nobody does."""

    name: str
    subject: Subject
    base_name: str = ""
    base: Subject | None = None


@dataclass(frozen=True)
class Group:
    """Cases that one process of a subject goes through, until one fails.

    Attributes:
        columns: dict of what the group is called in the table.
        settings: what the subjects are built from; it can be pickled.
        cases: dicts that `Run.prepare` takes; columns of the table, too.
        precision: "float32", "tf32" or "bfloat16".
    """

    columns: dict
    settings: object
    cases: tuple
    precision: str = "float32"


@dataclass(frozen=True)
class Job:
    """What a worker is told: `samples` is the path of an `.npz`, cores 0 means all."""

    subject: Subject
    settings: object
    precision: str
    samples: str | None
    cores: int


@dataclass(frozen=True)
class Limits:
    """How long it is measured.

    Attributes:
        rounds: turns of each subject.
        turn_seconds: what a turn takes, about.
        case_seconds: after which, but two rounds, a case ends.
        deadline: `time.monotonic()` after which no case begins; `None`: none.
    """

    rounds: int = 7
    turn_seconds: float = 0.5
    case_seconds: float = 120.0
    deadline: float | None = None
