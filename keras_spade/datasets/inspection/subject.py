"""The data to inspect."""

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
    """The samples to inspect, and what is known about them.

    Args:
        listing: `Listing` of the samples.
        reader: their `SampleReader`; `None` if the labels are unknown.
        info: the `NamedDataset`, or `None`.
        call: the `Call` that made the dataset, or `None`.
        folders: the `OwnFolders` with the files, if the labels are unknown.
    """

    listing: Listing
    reader: SampleReader | None = None
    info: NamedDataset | None = None
    call: Call | None = None
    folders: OwnFolders | None = None

    def class_of(self, value: int | tuple) -> int | None:
        """The class of an id or colour in the files, with void last; `None` if it has none."""
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
