"""The measurement: subjects, each in its own process, take turns with their bases."""

import sys
import time
from contextlib import ExitStack
from statistics import median

from benchmarks.harness.machine import busy_seconds, leaves_little, others_share
from benchmarks.harness.plan import Job
from benchmarks.harness.process import AbsentError, FailedError
from benchmarks.harness.records import Rate, Row
from benchmarks.harness.table import percentiles

MOST_STEPS = 20
LEAST_ROUNDS = 2
SETTLE = 0.1
NO_TIME = "not measured: the minutes were spent"


class Contest:
    """A group of cases and the subjects that run them.

    Args:
        group: a `Group`.
        limits: `Limits`.
        records: `Records`, to which rows and rates are added.
        start: a function of a name and a `Job` that returns a `Process`.
        samples: path of the file of samples, or `None`.
        cores: that each process may use; 0: all.
    """

    def __init__(self, group, limits, records, start, samples=None, cores=0):
        self.group = group
        self.limits = limits
        self.records = records
        self.start = start
        self.samples = samples
        self.cores = cores
        self.absent = {}

    def measure(self, pairs):
        """Measures every pair; subjects without a base come first, being bases of others."""
        todo = {pair.name: self.records.missing(self.group, pair.name) for pair in pairs}
        with ExitStack() as stack:
            base_name, base = "", None
            for pair in sorted(pairs, key=lambda pair: pair.base is not None):
                if not todo[pair.name]:
                    continue
                if pair.base is None:  # It stays alive as a base.
                    stack.close()
                    base_name, base = pair.name, self.begin(pair.name, pair.subject)
                    self.measure_cases(pair.name, stack.enter_context(base), None, todo[pair.name])
                    continue
                if pair.base_name != base_name:
                    stack.close()
                    base_name, base = pair.base_name, self.begin(pair.base_name, pair.base)
                    stack.enter_context(base)
                with self.begin(pair.name, pair.subject) as contestant:
                    self.measure_cases(pair.name, contestant, base, todo[pair.name])

    def begin(self, name, subject):
        """The process of a subject, or a `Nobody`."""
        try:
            self.check_time()
            if subject.backend in self.absent:
                raise self.absent[subject.backend]
            log(f"{self.label()}{name}: building")
            job = Job(subject, self.group.settings, self.group.precision, self.samples, self.cores)
            return self.start(name, job)
        except FailedError as reason:
            if isinstance(reason, AbsentError):
                self.absent[subject.backend] = reason
            return Nobody(reason)

    def measure_cases(self, name, contestant, base, cases):
        """Adds a row for each case up to the first failure, and the rate of a matrix product."""
        columns = self.group.columns
        for case in cases:
            if contestant.alive:
                columns = self.group.columns | case
            try:
                self.check_time()
                row = self.measure_case(columns, name, contestant, base, case)
            except FailedError as reason:
                self.keep(Row(columns, name, why=str(reason)))
                break
            self.keep(row)
            little = leaves_little(row.held + row.above)
            if contestant.built.kind == "cpu" and little and case != cases[-1]:
                why = "not tried: twice the memory is not there"
                self.keep(Row(self.group.columns | cases[cases.index(case) + 1], name, why=why))
                break
        if not contestant.alive:
            return
        try:
            rate = contestant.ask("matrix")
        except FailedError:
            return
        built = contestant.built
        about = (built.backend, built.device, built.versions)
        self.records.add(Rate(*about, self.group.precision, rate))

    def measure_case(self, columns, name, contestant, base, case):
        """The row of a case.

        Raises:
            FailedError: if the contestant fails; if the base does, there are no ratios.
        """
        prepared = contestant.ask("prepare", case)
        steps, base_why = {contestant: self.steps(prepared)}, ""
        own, rounds, others = [], [], []
        try:
            if base is not None:
                steps[base] = self.steps(base.ask("prepare", case))
        except FailedError as reason:
            base, base_why = let_go(base), str(reason)
        end = time.monotonic() + self.limits.case_seconds
        for index in range(self.limits.rounds):
            if index >= LEAST_ROUNDS and time.monotonic() > end:
                break
            turns = {}
            order = [contestant] if base is None else [contestant, base][:: -1 if index % 2 else 1]
            for one in order:
                try:
                    turns[one], share = timed_turn(one, index, steps[one])
                    others.append(share)
                except FailedError as reason:
                    if one is contestant:
                        raise
                    base, base_why = let_go(base), str(reason)
            own.append(turns[contestant])
            if base is not None:
                rounds.append((turns[contestant], turns[base]))
        memory = contestant.ask("memory")
        base_above = base.ask("memory").above if base is not None else 0
        return Row(
            columns,
            name,
            samples=prepared.samples,
            flops=prepared.flops,
            seconds=percentiles([value for turn in own for value in turn.seconds]),
            processor=percentiles([value for turn in own for value in turn.processor]),
            base=percentiles([value for _, turn in rounds for value in turn.seconds]),
            ratio=ratios([(own.seconds, base.seconds) for own, base in rounds]),
            processor_ratio=ratios([(own.processor, base.processor) for own, base in rounds]),
            base_why=base_why,
            first=prepared.first,
            held=contestant.built.held,
            above=memory.above,
            later=memory.later,
            above_ratio=memory.above / base_above if base_above > 0 else None,
            note=contestant.built.note,
            others=max(others),
        )

    def steps(self, prepared):
        """The number of steps per turn."""
        return max(1, min(MOST_STEPS, round(self.limits.turn_seconds / prepared.seconds)))

    def check_time(self):
        """Raises if no further case may start."""
        if self.limits.deadline is not None and time.monotonic() > self.limits.deadline:
            raise FailedError(NO_TIME)

    def label(self, columns=None):
        """The name of a group or a case in the log."""
        columns = self.group.columns if columns is None else columns
        return "".join(f"{key} {value}, " for key, value in columns.items())

    def keep(self, row):
        """Adds a row, and logs it."""
        self.records.add(row, again=row.why == NO_TIME)
        ratio = f", x {row.ratio[0]:.3f}" if row.ratio else ""
        what = row.why or f"{row.seconds[0]:.4f} s{ratio}"
        log(f"{self.label(row.columns)}{row.subject}: {what}")


class Nobody:
    """Replaces a process that could not be started; every request raises the reason."""

    alive = False

    def __init__(self, reason):
        self.reason = reason

    def ask(self, *command):
        raise self.reason

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def timed_turn(one, index, steps):
    """A turn of a subject, and the share of the machine used by others meanwhile."""
    time.sleep(SETTLE)  # The threads of the previous subject may still spin for a moment.
    busy, wall = busy_seconds(), time.perf_counter()
    turn = one.ask("turn", index, steps)
    busy, wall = busy_seconds() - busy, time.perf_counter() - wall
    return turn, others_share(busy, turn.whole, wall)


def let_go(base):
    """Releases the resources of a failed base; there is no base afterwards."""
    try:
        base.ask("release")
    except FailedError:
        pass  # It has ended, and will not be used again.


def ratios(pairs):
    """Percentiles of the ratios of medians; `None` for numbers too small to measure."""
    pairs = [(median(own), median(base)) for own, base in pairs]
    return percentiles([a / b for a, b in pairs]) if all(b for _, b in pairs) else None


def log(message):
    """Logs progress to standard error."""
    print(message, file=sys.stderr, flush=True)
