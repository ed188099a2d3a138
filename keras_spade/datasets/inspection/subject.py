"""What is inspected."""

from dataclasses import dataclass

import numpy as np

from keras_spade.datasets.call import Call
from keras_spade.datasets.folders.label_mapping import LabelMapping
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

    def class_of(self, value):
        """The class of an id or colour in the files, void the last; `None` if it is of none."""
        mapping = self.reader.label_mapping
        try:
            array = [[value]] if mapping.colors is None else np.array([[value]], np.uint8)
            class_id = int(mapping(array)[0, 0])
        except ValueError:
            return None
        num_classes = self.reader.num_classes
        if class_id == LabelMapping.VOID:
            return num_classes
        return class_id if class_id < num_classes else None
