"""How a published set lies on the disk."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Folders that tell of a set, and how what lies in them is loaded.

    Args:
        folders: all of them must be there.
        split: what `split` must be for them; `None`: the default.
    """

    folders: tuple
    split: str | None = None

    @property
    def options(self) -> dict:
        """Arguments of the function that loads the set."""
        return {} if self.split is None else {"split": self.split}
