"""The machine: its name, its memory, and what else it does."""

import os
import platform
from pathlib import Path

LEFT = 0.04
STAT = Path("/proc/stat")


def processor():
    """The name of the CPU."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def cores():
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def busy_seconds():
    """Processor time that all processes took since the machine began, lent time included."""
    if not STAT.exists():
        return 0.0
    with STAT.open() as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def others_share(busy, own, wall):
    """The share of all processors that others took while `wall` seconds went by.

    Args:
        busy: difference of `busy_seconds`.
        own: processor time that was ours.
        wall: seconds.
    """
    resolution = 2 * os.cpu_count() / os.sysconf("SC_CLK_TCK")
    return max(busy - own - resolution, 0.0) / (wall * os.cpu_count())


def memory():
    """Bytes of memory in all, and of those that are available; `None` where nobody knows."""
    info = Path("/proc/meminfo")
    if not info.exists():
        return None
    with info.open() as file:
        kibibytes = {line.split(":")[0]: int(line.split()[1]) for line in file}
    return 1024 * kibibytes["MemTotal"], 1024 * kibibytes["MemAvailable"]


def leaves_little(more=0):
    """Whether little memory is left once so many bytes more are taken."""
    known = memory()
    return known is not None and known[1] - more < LEFT * known[0]


def check_memory_left(count):
    """Raises before `count` variants leave too little memory."""
    if leaves_little():
        raise RuntimeError(
            f"{count} variants leave {memory()[1] / 2**30:.1f} GiB of memory; "
            "name fewer in --variants."
        )
