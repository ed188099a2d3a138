"""The measurement itself: subjects, each in its process, take turns with the baseline's."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.util import find_spec
from statistics import median

from _device_subjects import SUBJECTS, DeviceSettings, environment
from _device_table import percentiles
from _machine import leaves_little
from _process import Process

MOST_STEPS = 20
LEAST_ROUNDS = 2
NO_TIME = "not measured: the minutes were spent"


class FailedError(Exception):
    """A subject gave no number; the message says why."""


class AbsentError(FailedError):
    """The same for all subjects of the backend: it is not there, or its device lacks something."""


@dataclass(frozen=True)
class Plan:
    """What is measured, and for how long.

    Attributes:
        settings: a `DeviceSettings`; task and precision are set later.
        subjects: names.
        baseline: one of the names, or another that is left out.
        batch_sizes: growing.
        pool: path of the file of samples.
        rounds: turns of each subject.
        turn_seconds: what a turn takes, about.
        case_seconds: after which, but two rounds, a case ends.
        patience: seconds after which a silent worker is given up.
        deadline: `time.monotonic()` after which no case begins; `None`: none.
        log: a function of a line.
    """

    settings: DeviceSettings
    subjects: tuple
    baseline: str
    batch_sizes: tuple
    pool: str
    rounds: int
    turn_seconds: float
    case_seconds: float
    patience: float
    deadline: float | None
    log: object


class Contestant:
    """A subject in its process; a context manager.

    Raises:
        FailedError: from the constructor and from `ask`, if there is no answer.
    """

    def __init__(self, name, settings, plan):
        if find_spec(SUBJECTS[name].backend) is None:
            raise AbsentError(f"{SUBJECTS[name].backend} is not installed")
        self.name = name
        try:
            self.process = Process(
                name, settings, plan.pool, "_device_worker.py", environment(name), plan.patience
            )
        except (RuntimeError, TimeoutError) as error:
            raise FailedError(_last_line(error)) from None
        self.alive = True
        self.built = self.process.built
        for kind, error in (("skipped", AbsentError), ("failed", FailedError)):
            if kind in self.built:
                self.close()
                raise error(self.built[kind])

    def ask(self, **command):
        """The answer to a command."""
        try:
            answer = self.process.ask(**command)
        except (RuntimeError, TimeoutError) as error:
            self.alive = False
            raise FailedError(_last_line(error)) from None
        if "failed" in answer:
            raise FailedError(answer["failed"])
        return answer

    def close(self):
        """Ends the process."""
        self.alive = False
        self.process.__exit__()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def measure(plan, task, precision, records):
    """Measures all subjects at a task and a precision, and adds the rows to the records."""
    settings = replace(plan.settings, task=task, precision=precision)
    names = sorted(plan.subjects, key=lambda name: name != plan.baseline)
    todo = {n: records.missing(task, precision, n, plan.batch_sizes) for n in names}
    baseline, absent = None, {}
    with ExitStack() as stack:
        for name in names:
            if not todo[name] and not (name == plan.baseline and any(todo.values())):
                continue
            row = {"task": task, "precision": precision, "subject": name, "batch": ""}
            backend = SUBJECTS[name].backend
            try:
                _check_time(plan)
                if backend in absent:
                    raise absent[backend]
                plan.log(f"{task}, {precision}, {name}: building")
                contestant = Contestant(name, settings, plan)
            except FailedError as reason:
                if isinstance(reason, AbsentError):
                    absent[backend] = reason
                _keep(records, plan, row | {"why": str(reason)}, todo[name])
                continue
            if name == plan.baseline:
                baseline = stack.enter_context(contestant)
                _measure_sizes(plan, contestant, None, row, todo[name], records)
                continue
            with contestant:
                rival = baseline if baseline and baseline.alive else None
                _measure_sizes(plan, contestant, rival, row, todo[name], records)


def _measure_sizes(plan, contestant, rival, row, batch_sizes, records):
    """Adds a row for each batch size, up to that which fails, and the rate of a product."""
    for batch_size in batch_sizes:
        row = row | {"batch": batch_size}
        try:
            _check_time(plan)
            numbers = _measure_case(plan, contestant, rival, batch_size)
        except FailedError as reason:
            _keep(records, plan, row | {"why": str(reason)}, batch_sizes)
            break
        _keep(records, plan, row | numbers, batch_sizes)
        if contestant.built["kind"] == "cpu" and leaves_little(numbers["peak"]):
            last = batch_size == batch_sizes[-1]
            why = {"batch": 2 * batch_size, "why": "not tried: twice the memory is not there"}
            _keep(records, plan, row | why, [] if last else batch_sizes)
            break
    if not (contestant.alive and batch_sizes):
        return
    try:
        contestant.ask(release=0)
        rate = contestant.ask(matrix=0)["rate"]
    except FailedError:
        return
    about = {name: contestant.built[name] for name in ("device", "versions")}
    about["backend"] = SUBJECTS[contestant.name].backend
    records.add({"matrix": rate, "precision": row["precision"], **about})


def _measure_case(plan, contestant, rival, batch_size):
    """Seconds, ratio to the rival, peak memory and first step of one batch size."""
    steps, first = {}, None
    for one in filter(None, (contestant, rival)):
        try:
            seconds = one.ask(prepare=batch_size)["seconds"]
            one.ask(release=0)
        except FailedError:
            if one is contestant:
                raise
            _let_go(rival)
            rival = None
            continue
        steps[one] = max(1, min(MOST_STEPS, round(plan.turn_seconds / min(seconds[1:]))))
        first = first or seconds[0]  # The contestant's.
    times, ratios = [], []
    end = time.monotonic() + plan.case_seconds
    for number in range(plan.rounds):
        if number >= LEAST_ROUNDS and time.monotonic() > end:
            break
        own, other = _round(contestant, rival, steps, flip=number % 2)
        times += own
        if other is not None:
            ratios.append(median(other) / median(own))
        else:
            rival = None
    ratio = percentiles(ratios) if ratios else None
    peak = contestant.ask(peak=0)["peak"]
    return {"seconds": percentiles(times), "ratio": ratio, "peak": peak, "first": first}


def _round(contestant, rival, steps, flip):
    """A turn of each: seconds of the steps, those of the rival `None` if it has none."""
    seconds = {rival: None}
    order = [contestant] if rival is None else [contestant, rival][:: -1 if flip else 1]
    for one in order:
        try:
            seconds[one] = one.ask(turn=steps[one])["seconds"][1:]
            if rival is not None:
                one.ask(release=0)
        except FailedError:
            if one is contestant:
                raise
            _let_go(rival)
    return seconds[contestant], seconds[rival]


def _let_go(rival):
    """Gives back what a rival that failed had taken."""
    try:
        rival.ask(release=0)
    except FailedError:
        pass  # It has ended, and will not be asked again.


def _check_time(plan):
    if plan.deadline is not None and time.monotonic() > plan.deadline:
        raise FailedError(NO_TIME)


def _keep(records, plan, row, wanted):
    """Adds a row, unless nothing was wanted of the subject, and says so."""
    if not wanted:
        return
    records.add(row, again=row.get("why") == NO_TIME)
    what = row.get("why") or f"{row['seconds'][0]:.4f} s"
    case = [row["task"], row["precision"], row["subject"], f"batch {row['batch']}".rstrip()]
    plan.log(f"{', '.join(case)}: {what}")


def _last_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if len(lines) < 2 else f"{lines[0]} {lines[-1]}"
