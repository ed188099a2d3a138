"""How a public dataset is stored on disk."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Folders by which a dataset is recognised, and the options to load it.

    Args:
        folders: the folders, all of which must exist.
        split: the value of `split` for them; `None`: the default.
    """

    folders: tuple
    split: str | None = None

    @property
    def options(self) -> dict:
        """Arguments of the function that loads the dataset."""
        return {} if self.split is None else {"split": self.split}
