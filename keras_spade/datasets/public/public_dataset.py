"""Everything that this package knows about a public dataset, in one entry."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_spade.datasets.dataset import Dataset
from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.pairing import Listing
from keras_spade.datasets.folders.pipeline import folder_dataset
from keras_spade.datasets.public.layout import Layout
from keras_spade.datasets.public.named_dataset import NamedDataset
from keras_spade.datasets.source import recorded

PUBLIC_DATASETS = {}
"""Entries by the name of their loading function; `published` adds them."""

NAMED_DATASETS = {}
"""Public datasets by name; some, such as `ade20k_unshifted`, number their classes differently."""


@dataclass(frozen=True)
class PublicDataset:
    """A public dataset.

    Args:
        load: the function that loads it from a directory.
        countings: dict name -> `NamedDataset`, one for each way to number its classes.
        layouts: sequence of `Layout` by which its folders are recognised; the first match counts.
        has_instances: whether it may have instance maps, and `load` accepts `instances`.

    Example:

    >>> from keras_spade.datasets import PUBLIC_DATASETS
    >>> list(PUBLIC_DATASETS["cityscapes"].countings)
    ['cityscapes', 'cityscapes_label_ids']
    """

    load: Callable
    countings: dict
    layouts: tuple = ()
    has_instances: bool = False


def published(
    countings: dict[str, NamedDataset], layouts: Sequence[Layout] = (), has_instances: bool = False
) -> Callable:
    """Decorates the loading function of a public dataset, to register its `PublicDataset`.

    The arguments are those of `PublicDataset`.
    """

    def decorate(load):
        load = recorded(load)
        entry = PublicDataset(load, countings, tuple(layouts), has_instances)
        PUBLIC_DATASETS[load.__name__] = entry
        NAMED_DATASETS.update(countings)
        return load

    return decorate


def public_files(
    info: NamedDataset,
    listing: Listing,
    mapping: LabelMapping,
    size: tuple[tuple[int, int], int],
    void_class: bool,
    on_bad_file: str,
    options: dict[str, Any],
) -> Dataset:
    """The dataset of a public dataset's files, whose labels were drawn on the stored pixels.

    `size` holds the sizes of images and batch, `options` other arguments of `paired_folders`.
    """
    return folder_dataset(
        listing,
        info.num_classes,
        mapping,
        *size,
        void_class=void_class,
        on_bad_file=on_bad_file,
        as_stored=True,
        info=info,
        **options,
    )


def recognised(directory: Path) -> tuple[Callable, dict] | None:
    """The function that loads the dataset in a folder, and its options; `None` if unknown."""
    for entry in PUBLIC_DATASETS.values():
        for layout in entry.layouts:
            if all((directory / folder).is_dir() for folder in layout.folders):
                return entry.load, layout.options
    return None
