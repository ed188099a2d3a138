"""The data of an experiment: training data, and validation maps to paint."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np

from examples import _data_options
from examples.paper.options import FLAGS, is_drawn
from keras_spade import datasets, images


@dataclasses.dataclass(frozen=True)
class Samples:
    """Training batches, and all validation samples as arrays.

    Args:
        training: a `tf.data.Dataset` of batches.
        labels: integer label maps of validation, `(count, H, W)`.
        instances: their instance ids, or `None`.
        images: their photographs, uint8 `(count, H, W, channels)`.
        training_images: the same number of training images, if there are that many.
        conditioning: arguments of the networks that describe the label maps.
        palette: colours of the classes, or `None`.
        resampling: how the sizes in the files became `(H, W)`, as text.
    """

    training: Any
    labels: np.ndarray
    instances: np.ndarray | None
    images: np.ndarray
    training_images: np.ndarray
    conditioning: dict
    palette: Any
    resampling: str

    @classmethod
    def load(cls):
        """Loads the samples named by the flags.

        Raises:
            ValueError: if the samples of validation would be those of training.
        """
        if not (is_drawn() or FLAGS.validation_split or has_other_folder()):
            raise ValueError(
                "--data needs unseen data: pass --validation_split=0.1, or --validation_data, "
                "another folder."
            )
        training, validation, conditioning, palette = _data_options.training_data()
        refuse_common_files(training, validation)
        limit = 4 if FLAGS.quick else None
        found = gathered(validation, limit)
        return cls(
            training,
            found["labels"],
            found["instances"] if conditioning["instance_edges"] else None,
            found["image"],
            gathered(training, len(found["labels"]))["image"],
            conditioning,
            palette,
            datasets.source_of(validation).resampling,
        )

    @property
    def count(self):
        """The number of validation maps."""
        return len(self.labels)

    @property
    def image_shape(self):
        """`(height, width, channels)`."""
        return self.images.shape[1:]

    @property
    def num_classes(self):
        """The number of classes, excluding void."""
        return self.conditioning["num_classes"]

    @property
    def void_class(self):
        """Whether there is a void class."""
        return self.conditioning.get("void_class", False)

    @property
    def protocol(self):
        """The protocol to report with every number."""
        height, width, _ = self.image_shape
        return (
            f"{FLAGS.dataset or FLAGS.data}, validation: {name_of_validation()}, "
            f"{self.count} maps, {height} x {width}, {self.resampling}, "
            f"void {'not counted' if self.void_class else 'absent'}"
        )

    def parts(self, size=8):
        """Slices of the validation samples."""
        return [slice(i, i + size) for i in range(0, self.count, size)]


def has_other_folder():
    """Whether --validation_data is another folder than --data."""
    other = FLAGS.validation_data
    return bool(other) and Path(other).resolve() != Path(FLAGS.data).resolve()


def name_of_validation():
    """What the validation samples are, as text; folders are not named."""
    if is_drawn():
        return "other scenes"
    names = [FLAGS.validation_split] if FLAGS.validation_split else []
    return " of ".join([*names, "another folder"] if has_other_folder() else names)


def refuse_common_files(training, validation):
    """Refuses training data among the data of validation."""
    files = [datasets.source_of(dataset).image_files or [] for dataset in (training, validation)]
    seen, others = ({Path(file).resolve() for file in paths} for paths in files)
    if common := sorted(seen & others):
        raise ValueError(
            f"{len(common)} photographs are in the data of training and of validation, such as "
            f"{common[0]}; pass another --validation_split, or another --validation_data."
        )


def gathered(dataset, limit=None):
    """Samples of a dataset as arrays by key, images as bytes; at most `limit`."""
    samples = (
        {key: array[i] for key, array in batch.items()}
        for batch in dataset.as_numpy_iterator()
        for i in range(len(batch["labels"]))
    )
    samples = list(itertools.islice(samples, limit))
    found = {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}
    return found | {"image": images.to_bytes(found["image"])}
