"""Resident memory of this process, on Linux."""

import ctypes
import gc
import resource
from pathlib import Path

PROC = Path("/proc/self")


def resident():
    """Bytes resident now, after what is free was given back."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    return _status("VmRSS")


def reset_peak():
    """Starts the peak again from now; `False` where that is not permitted."""
    try:
        (PROC / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak():
    """Most bytes that were resident since the last reset, or since the process began."""
    try:
        return _status("VmHWM")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(field):
    lines = (PROC / "status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024
