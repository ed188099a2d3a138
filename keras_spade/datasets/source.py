"""The origin of a dataset's batches."""

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from keras_spade.class_info import ClassInfo
from keras_spade.datasets.call import Call
from keras_spade.datasets.dataset import Dataset


@dataclass(frozen=True)
class Source:
    """Describes a dataset: its epochs, samples and classes, and the call that made it.

    Datasets of this package have it as attribute `source`; transformed ones (`.map`, `.take`) do
    not.

    Args:
        for_epoch: as in `by_epoch`.
        num_batches: batches per epoch.
        samples: the `Samples` on disk; `None` if they come from elsewhere.
        info: its `NamedDataset`, or `None`.
        call: the `Call` that made it, or `None`.
        drawn_classes: the classes of drawn scenes, or `None`.

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
        """Number of classes, excluding void; `None` if unknown."""
        return None if self.samples is None else self.samples.reader.num_classes

    @property
    def void_class(self) -> bool | None:
        """Whether void is an additional class; `None` if unknown."""
        return None if self.samples is None else self.samples.reader.void_class

    @property
    def title(self) -> str | None:
        """The name of a published dataset; `None` for others."""
        return None if self.info is None else self.info.title

    @property
    def class_names(self) -> tuple | None:
        """Names of the classes, in the order of their ids; `None` if unknown."""
        known = self.drawn_classes
        return (known and known.names) if self.info is None else self.info.class_names

    @property
    def palette(self) -> tuple | None:
        """The published colour of each class; `None` if unknown."""
        known = self.drawn_classes
        return (known and known.palette) if self.info is None else self.info.palette

    @property
    def classes(self) -> ClassInfo | None:
        """Names, colours and label mapping; `None` if all are unknown."""
        mapping = None if self.image_files is None else self.samples.reader.label_mapping
        if self.class_names is self.palette is mapping is None:
            return None
        return ClassInfo(self.class_names, self.palette, mapping)

    @property
    def has_instances(self) -> bool | None:
        """Whether there are instance maps; `None` if unknown."""
        return None if self.samples is None else self.samples.listing.with_instances

    @property
    def image_files(self) -> list | None:
        """Paths of the photographs, in the order of the samples; `None` if there are no files."""
        listed = None if self.samples is None else self.samples.listing.samples
        return [sample[0] for sample in listed] if isinstance(listed, list) else None

    @property
    def resampling(self) -> str | None:
        """How the sizes of files become the size of a batch, in words; `None` if unknown."""
        if self.drawn_classes is not None:
            return "drawn at this size"
        if self.call is None or self.image_files is None:
            return None
        resize, size = (self.call.arguments.get(name) for name in ("resize", "load_size"))
        crop = f"{self.call.arguments.get('crop', 'random')} crop"
        if resize == "none":
            return f"not resized, {crop}"
        steps = [resize or "stretch"]
        if size is not None:
            sizes = size if isinstance(size, (tuple, list)) else [size]
            steps.append(f"load_size {' x '.join(map(str, sizes))}")
        if size is not None or steps[0] != "stretch":
            steps.append(crop)
        steps = ", ".join(steps)
        return f"photographs resized bicubically, label maps by nearest neighbours ({steps})"

    @property
    def skipped(self) -> dict:
        """A dict of the files skipped so far -> reason."""
        return {} if self.samples is None else self.samples.skipped


def source_of(dataset: Any) -> Source:
    """Returns the `Source` of a dataset of this package.

    Args:
        dataset: a dataset made by a function of `keras_spade.datasets`.

    Raises:
        ValueError: if it was made otherwise, or transformed afterwards.
    """
    source = source_or_none(dataset)
    if source is None:
        raise ValueError(
            "dataset must be the unchanged result of a function of keras_spade.datasets: .map, "
            ".take and other transformations return datasets without a source. Pass the original "
            "dataset, or transform inside the for_epoch of by_epoch. Got "
            f"{dataset!r}"
        )
    return source


def source_or_none(data: Any) -> Source | None:
    """Returns the `Source` of a dataset of this package; `None` for other data."""
    source = getattr(data, "source", None)
    return source if isinstance(source, Source) else None


def with_source(dataset: Dataset, source: Source) -> Dataset:
    """Attaches a source to a dataset, and returns it."""
    dataset.source = source
    return dataset


def recorded(function: Callable) -> Callable:
    """Decorates a function that makes a dataset, to record the call in its source.

    With `subset="both"`, calls `make` for each subset, and returns two datasets.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def make(*args, **kwargs):
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # Its own message is best.
        for name, value in given.arguments.items():
            if isinstance(value, Iterator):  # It can be read only once.
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
