"""Information on the public datasets that can be loaded by name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NamedDataset:
    """Names, colours and source of a public dataset.

    Args:
        title: its name.
        call: the call that loads it, without `keras_spade.datasets.`.
        layout: the folders that are read.
        class_names: names of the classes, in the order of the ids in the batches, without void.
        palette: uint8 `(r, g, b)` of each class as published, or `None`.
        void: how void is marked in the files.
        citation: the paper to cite.

    Example:

    >>> from keras_spade.datasets import NAMED_DATASETS
    >>> NAMED_DATASETS["cityscapes"].class_names[:3], NAMED_DATASETS["cityscapes"].num_classes
    (('road', 'sidewalk', 'building'), 19)
    """

    title: str
    call: str
    layout: str
    class_names: tuple
    palette: tuple | None
    void: str
    citation: str

    @property
    def num_classes(self) -> int:
        """Number of classes, excluding void."""
        return len(self.class_names)


def names_in(text: str) -> tuple[str, ...]:
    """The names in a text, separated by bars."""
    return tuple(" ".join(name.split()) for name in text.split("|"))


def colors_in(text: str) -> tuple[tuple[int, ...], ...]:
    """The colours in a text of hexadecimal numbers."""
    return tuple(tuple(bytes.fromhex(color)) for color in text.split())
