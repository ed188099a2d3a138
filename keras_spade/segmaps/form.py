"""The forms in which Keras layers exchange label maps."""

import enum
from typing import Any


class Form(enum.Enum):
    """The form of a label map between layers."""

    LABELS = enum.auto()
    """Integer labels `(batch, H, W)`, optionally with edges."""
    MAP = enum.auto()
    """A map with channels `(batch, H, W, channels)`."""
    PATTERNS = enum.auto()
    """The tensors of `Patterns`."""
    BOUNDED_PATTERNS = enum.auto()
    """The tensors of `BoundedPatterns`."""

    @property
    def has_patterns(self) -> bool:
        """Whether patterns have been found."""
        return self in (Form.PATTERNS, Form.BOUNDED_PATTERNS)


def form_of(segmap: Any) -> Form:
    """Returns the `Form` of a label map.

    Args:
        segmap: a tensor or a dict of tensors; or the shape or the shapes of these.
    """
    if isinstance(segmap, dict):
        return Form.BOUNDED_PATTERNS if "fit" in segmap else Form.PATTERNS
    rank = len(getattr(segmap, "shape", segmap))
    return Form.MAP if rank == 4 else Form.LABELS
