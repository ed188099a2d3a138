"""The machine and its other load; memory and processor time of this process, on Linux."""

import ctypes
import gc
import multiprocessing
import os
import platform
import resource
import time
from pathlib import Path

LEFT = 0.04
GIB = 2**30
STAT = Path("/proc/stat")
SELF = Path("/proc/self")


def processor():
    """The name of the CPU."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def cores():
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0))


def use_cores(count):
    """Restricts this process to its first cores, as if the machine had no others; 0: all."""
    if count:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def processor_seconds():
    """Processor time of this process and of its `multiprocessing` workers."""
    ticks = 0
    for worker in multiprocessing.active_children():
        fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def busy_seconds():
    """Processor time of all processes since boot, including time lent to guests."""
    if not STAT.exists():
        return 0.0
    with STAT.open() as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def others_share(busy, own, wall):
    """The share of all processors used by others during `wall` seconds.

    Args:
        busy: difference of `busy_seconds`.
        own: our processor time.
        wall: seconds.
    """
    resolution = 2 * os.cpu_count() / os.sysconf("SC_CLK_TCK")
    return max(busy - own - resolution, 0.0) / (wall * os.cpu_count())


def leaves_little(more=0):
    """Whether little memory would remain after taking that many more bytes."""
    info = Path("/proc/meminfo")
    if not info.exists():
        return False
    with info.open() as file:
        kibibytes = {line.split(":")[0]: int(line.split()[1]) for line in file}
    return 1024 * kibibytes["MemAvailable"] - more < LEFT * 1024 * kibibytes["MemTotal"]


def resident():
    """Resident bytes, after releasing free memory."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    return _status("VmRSS")


def reset_peak():
    """Resets the peak; returns `False` if that is not permitted."""
    try:
        (SELF / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak():
    """Peak of resident bytes since the last reset, or since the process started."""
    try:
        return _status("VmHWM")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(field):
    lines = (SELF / "status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024
