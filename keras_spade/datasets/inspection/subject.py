"""What is inspected."""

from dataclasses import dataclass

from keras_spade.datasets.call import Call
from keras_spade.datasets.folders.pairing import Listing
from keras_spade.datasets.folders.sample_reader import SampleReader
from keras_spade.datasets.inspection.find_folders import OwnFolders
from keras_spade.datasets.public.named_dataset import NamedDataset


@dataclass(frozen=True)
class Subject:
    """The samples that are inspected, and what is known of them.

    Args:
        listing: `Listing` of its samples.
        reader: `SampleReader` of these; `None`: nothing is known of the labels.
        info: the `NamedDataset` it is, or `None`.
        call: the `Call` that made it, or `None`.
        folders: the `OwnFolders` that the files lie in, if nothing is known of them.
    """

    listing: Listing
    reader: SampleReader | None = None
    info: NamedDataset | None = None
    call: Call | None = None
    folders: OwnFolders | None = None
