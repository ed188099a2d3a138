"""The type of the datasets of this package in annotations."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf

    from keras_spade.datasets.epoch_dataset import EpochDataset

    Dataset = tf.data.Dataset | EpochDataset
else:
    Dataset = Any
