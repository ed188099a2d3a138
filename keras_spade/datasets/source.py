"""What is known of where the batches of a dataset come from."""

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from keras_spade.class_info import ClassInfo
from keras_spade.datasets.call import Call


@dataclass(frozen=True)
class Source:
    """What is known of a dataset: its epochs, its samples, its classes, the call that made it.

    It is the attribute `source` of the datasets of this package. A transformation of one (`.map`,
    `.take`) has none.

    Args:
        for_epoch: as in `by_epoch`.
        num_batches: batches in an epoch.
        samples: the `Samples` on disk; `None` if they come from elsewhere.
        info: the `NamedDataset` it is, or `None`.
        call: the `Call` that made it, or `None`.
        drawn_classes: the classes of scenes that are drawn, or `None`.

    Example:

    >>> from keras_spade.datasets import source_of, synthetic_scenes
    >>> source_of(synthetic_scenes(8, image_size=(32, 48), batch_size=4)).num_batches
    2
    """

    for_epoch: Callable = field(repr=False)
    num_batches: int
    samples: object = field(default=None, repr=False)
    info: object = field(default=None, repr=False)
    call: Call | None = None
    drawn_classes: ClassInfo | None = field(default=None, repr=False)

    @property
    def num_classes(self) -> int | None:
        """Number of classes, void not counted; `None` if that is not known."""
        return None if self.samples is None else self.samples.reader.num_classes

    @property
    def void_class(self) -> bool | None:
        """Whether void is one more class; `None` if that is not known."""
        return None if self.samples is None else self.samples.reader.void_class

    @property
    def title(self) -> str | None:
        """What the set is called; `None` if it is not a published one."""
        return None if self.info is None else self.info.title

    @property
    def class_names(self) -> tuple | None:
        """Names of the classes, in the order of their ids; `None` if they are not known."""
        known = self.drawn_classes
        return (known and known.names) if self.info is None else self.info.class_names

    @property
    def palette(self) -> tuple | None:
        """The published colour of each class; `None` if there is none."""
        known = self.drawn_classes
        return (known and known.palette) if self.info is None else self.info.palette

    @property
    def classes(self) -> ClassInfo | None:
        """Names, colours, and how label files are read; `None` if nothing of it is known."""
        mapping = None if self.image_files is None else self.samples.reader.label_mapping
        if self.class_names is self.palette is mapping is None:
            return None
        return ClassInfo(self.class_names, self.palette, mapping)

    @property
    def has_instances(self) -> bool | None:
        """Whether there are instance maps; `None` if that is not known."""
        return None if self.samples is None else self.samples.listing.with_instances

    @property
    def image_files(self) -> list | None:
        """Paths of the photographs, in the order of the samples; `None` if there are no files."""
        listed = None if self.samples is None else self.samples.listing.samples
        return [sample[0] for sample in listed] if isinstance(listed, list) else None

    @property
    def skipped(self) -> dict:
        """Files that were left out so far -> why."""
        return {} if self.samples is None else self.samples.skipped


def source_of(dataset) -> Source:
    """Returns the `Source` of a dataset of this package.

    Args:
        dataset: made by a function of `keras_spade.datasets`.

    Raises:
        ValueError: if it was made otherwise, or transformed since.
    """
    source = source_or_none(dataset)
    if source is None:
        raise ValueError(
            "dataset must be one that a function of keras_spade.datasets made, and as that made "
            "it: .map, .take and other transformations give a dataset of which nothing is known. "
            "Ask the one before, or transform inside of the for_epoch of by_epoch. Got "
            f"{dataset!r}"
        )
    return source


def source_or_none(data) -> Source | None:
    """Returns the `Source` of a dataset of this package, of all other data `None`."""
    source = getattr(data, "source", None)
    return source if isinstance(source, Source) else None


def with_source(dataset, source):
    """Returns the dataset, whose source is known from now on."""
    dataset.source = source
    return dataset


def recorded(function):
    """Decorates a function that makes a dataset: its source knows the call.

    With `subset="both"`, `make` is called for each, and there are two.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def make(*args, **kwargs):
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # Which says it best.
        for name, value in given.arguments.items():
            if isinstance(value, Iterator):  # To be gone through once.
                given.arguments[name] = list(value)
        if {**given.arguments, **given.arguments.get("kwargs", {})}.get("subset") == "both":
            still = {"shuffle": False, "flip": False, "crop": "center"}
            training = make(*args, **{**kwargs, "subset": "training"})
            return training, make(*args, **{**kwargs, "subset": "validation", **still})
        dataset = function(*given.args, **given.kwargs)
        given.apply_defaults()
        arguments = dict(given.arguments)
        arguments |= arguments.pop("kwargs", {})
        call = Call(make, arguments)
        return with_source(dataset, replace(source_of(dataset), call=call))

    return make
