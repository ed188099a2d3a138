"""What `gpu.py` measures: the subjects by name, the precisions, and what all of them are told."""

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from _variants import Settings

ROOT = Path(__file__).resolve().parents[1]
TASKS = ("inference", "training_step")
PRECISIONS = ("float32", "tf32", "bfloat16")
BACKENDS = ("torch", "jax", "tensorflow")


@dataclass(frozen=True)
class DeviceSettings(Settings):
    """One comparison: the batch size is that of the command, `precision` one of `PRECISIONS`."""

    precision: str = "float32"


@dataclass(frozen=True)
class Subject:
    """The library that runs it, and the module whose `make(settings, device, **options)` does."""

    backend: str
    module: str
    options: dict = field(default_factory=dict)


def _plain(**options):
    return Subject("torch", "_device_torch", options)


def _ours(backend, modulation):
    return Subject(backend, "_device_ours", {"modulation": modulation})


SUBJECTS = {
    "torch": _plain(),
    "torch channels_last": _plain(channels_last=True),
    "torch compile": _plain(compiled=True),
    "torch compile channels_last": _plain(compiled=True, channels_last=True),
    **{
        f"ours {backend} {modulation}": _ours(backend, modulation)
        for backend in BACKENDS
        for modulation in ("dense", "patterns")
    },
}


def environment(name):
    """The environment variables of a subject's process: one backend, and memory as it is needed."""
    return {
        "KERAS_BACKEND": SUBJECTS[name].backend,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }


def first_installed():
    """The first of the backends that is installed, or the first of all."""
    return next(filter(find_spec, BACKENDS), BACKENDS[0])
