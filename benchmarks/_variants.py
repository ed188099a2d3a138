"""What can be compared: the variants by name, and what all of them are told."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field

TASKS = ("inference", "forward_backward", "training_step")


class SkippedError(Exception):
    """A variant cannot run here; the message says why."""


@dataclass(frozen=True)
class Settings:
    """One comparison. `num_classes` leaves void out; `latent_dim` may be `None`; threads 0: all."""

    task: str
    batch_size: int
    height: int
    width: int
    num_classes: int
    void_class: bool
    instance_edges: bool
    latent_dim: int | None
    base_filters: int
    hidden_filters: int
    threads: int

    @property
    def label_channels(self):
        """Channels of the one-hot map, edges included."""
        return self.num_classes + self.void_class + self.instance_edges


@dataclass(frozen=True)
class Step:
    """`run(i)` makes one step on the batch `i`; its result is complete when it returns."""

    run: Callable
    versions: dict
    note: str = ""


@dataclass(frozen=True)
class Variant:
    """The module and function that makes the step, `make(settings, batches, **options)`."""

    module: str
    make: str
    options: dict = field(default_factory=dict)
    tasks: tuple = TASKS
    why_not: str = ""
    default: bool = True


def _ours(modulation, **kwargs):
    return Variant("_keras_steps", "make", {"modulation": modulation}, **kwargs)


def _folded(module, default=True, **options):
    why_not = "spectral norm is folded for inference only"
    options["folded"] = True
    return Variant(module, "make", options, ("inference",), why_not, default)


def _torch(**options):
    return Variant("_torch_steps", "make", options)


VARIANTS = {
    "ours": _ours("auto"),
    "ours folded": _folded("_keras_steps", modulation="auto"),
    "patterns": _ours("patterns", default=False),
    "dense": _ours("dense"),
    "dense folded": _folded("_keras_steps", modulation="dense"),
    "torch": _torch(),
    "torch channels_last": _torch(channels_last=True),
    "torch compile": _torch(compiled=True),
    "torch compile channels_last": _torch(compiled=True, channels_last=True),
    "torch folded": _folded("_torch_steps", default=False),
    "torch compile folded": _folded("_torch_steps", default=False, compiled=True),
    "monai": Variant(
        "_torch_steps",
        "make_monai",
        tasks=TASKS[:2],
        why_not="MONAI has no GauGAN training step with the discriminator of the paper",
    ),
}


def default_variants(task):
    """The names of those that are compared unless others are asked for."""
    return [
        name
        for name, variant in VARIANTS.items()
        if variant.default and (task in variant.tasks or name == "monai")
    ]


def make_step(name, settings, batches):
    """Builds a variant in this process, and returns its `Step`.

    Raises:
        SkippedError: if the variant does not do the task, or its library is not installed.
    """
    variant = VARIANTS[name]
    if settings.task not in variant.tasks:
        raise SkippedError(variant.why_not)
    try:
        module = importlib.import_module(variant.module)
        return getattr(module, variant.make)(settings, batches, **variant.options)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "monai"):
            raise
        raise SkippedError(f"{error.name} is not installed") from None
