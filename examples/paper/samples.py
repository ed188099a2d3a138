"""The data of an experiment: training data, and validation maps to paint."""

import dataclasses
import itertools
from typing import Any

import numpy as np

from examples import _data_options
from examples.paper.options import FLAGS
from keras_spade import images


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
    """

    training: Any
    labels: np.ndarray
    instances: np.ndarray | None
    images: np.ndarray
    training_images: np.ndarray
    conditioning: dict
    palette: Any

    @classmethod
    def load(cls):
        """Loads the samples named by the flags."""
        training, validation, conditioning, palette = _data_options.training_data()
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
            f"{FLAGS.dataset or FLAGS.data}, validation {FLAGS.validation_split or '-'}, "
            f"{self.count} maps, {height} x {width}, photographs resized bicubically "
            f"({FLAGS.resize}), void {'not counted' if self.void_class else 'absent'}"
        )

    def parts(self, size=8):
        """Slices of the validation samples."""
        return [slice(i, i + size) for i in range(0, self.count, size)]


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
