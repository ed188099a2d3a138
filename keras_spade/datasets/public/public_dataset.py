"""What this package has for a published set, in one entry."""

from collections.abc import Callable
from dataclasses import dataclass

from keras_spade.datasets.folders.pipeline import folder_dataset
from keras_spade.datasets.source import recorded

PUBLIC_DATASETS = {}
"""The entries by the name of the function that loads each; `published` fills it."""

NAMED_DATASETS = {}
"""The public datasets by name; `ade20k_unshifted` and the like are other countings of one."""


@dataclass(frozen=True)
class PublicDataset:
    """A published set.

    Args:
        load: the function that loads it, of a directory and more.
        countings: dict name -> `NamedDataset`, one for each way to count its classes.
        layouts: sequence of `Layout`, by which its folders are recognised, the first that fits.
        has_instances: whether it may come with instance maps, and `load` takes `instances`.

    Example:

    >>> from keras_spade.datasets import PUBLIC_DATASETS
    >>> list(PUBLIC_DATASETS["cityscapes"].countings)
    ['cityscapes', 'cityscapes_label_ids']
    """

    load: Callable
    countings: dict
    layouts: tuple = ()
    has_instances: bool = False


def published(countings, layouts=(), has_instances=False):
    """Decorates the function that loads a published set: makes its `PublicDataset` known.

    The arguments are those of `PublicDataset`.
    """

    def decorate(load):
        load = recorded(load)
        entry = PublicDataset(load, countings, tuple(layouts), has_instances)
        PUBLIC_DATASETS[load.__name__] = entry
        NAMED_DATASETS.update(countings)
        return load

    return decorate


def public_files(info, listing, mapping, size, void_class, on_bad_file, options):
    """The dataset of a published set's files, on whose stored pixels the labels were drawn.

    `size` is that of images and batch, `options` are further arguments of `paired_folders`.
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


def recognised(directory) -> tuple[Callable, dict] | None:
    """The function that loads what is in a folder, and the options for it; else `None`."""
    for entry in PUBLIC_DATASETS.values():
        for layout in entry.layouts:
            if all((directory / folder).is_dir() for folder in layout.folders):
                return entry.load, layout.options
    return None
