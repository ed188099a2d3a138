"""Batches by epoch and number, for use without TensorFlow."""

import itertools
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import keras

from keras_spade.datasets.ordered import in_order
from keras_spade.datasets.source import Source

MOST_WORKERS = 16


class EpochDataset(keras.utils.PyDataset):
    """A `keras.utils.PyDataset` in which each pass is an epoch, determined by its number alone.

    The first pass is epoch `first_pass`, the second the next epoch, and so on. `GauGAN.fit` asks
    it for the current epoch, starting at any batch.

    Args:
        source: a `Source` whose `for_epoch` returns an iterable of batches.
        workers: number of batches read in parallel, each in its own thread; `None`: one per
            processor, at most 16.
        repeats_first: whether every pass is epoch 0.
        first_pass: the epoch of the first pass.

    Example:

    >>> from keras_spade.datasets.epoch_dataset import EpochDataset
    >>> from keras_spade.datasets import Source
    >>> data = EpochDataset(Source(lambda epoch, first: range(10 * epoch + first, 99), 3))
    >>> list(data), list(data)
    ([0, 1, 2], [10, 11, 12])
    """

    def __init__(
        self,
        source: Source,
        workers: int | None = None,
        repeats_first: bool = False,
        first_pass: int = 0,
    ):
        workers = workers or min(os.cpu_count() or 1, MOST_WORKERS)
        super().__init__(workers=workers, max_queue_size=workers)
        self.source = source
        self.repeats_first = repeats_first
        self._epoch = first_pass

    def __len__(self):
        return self.source.num_batches

    def __getitem__(self, number):
        if not 0 <= number < len(self):
            raise IndexError(f"batch {number} of {len(self)}")
        return self.batch((self._epoch, number))

    def __iter__(self):
        places = zip(itertools.repeat(self._epoch), range(len(self)))
        self.on_epoch_end()
        return self.stream(places)

    def as_numpy_iterator(self) -> Iterator:
        """A pass over the batches, named as in `tf.data`."""
        return iter(self)

    def on_epoch_end(self):
        """Makes the next pass the next epoch."""
        if not self.repeats_first:
            self._epoch += 1

    def batch(self, place: tuple[int, int]) -> Any:
        """The batch at `(epoch, number)`."""
        for batch in self.source.for_epoch(*place):
            return batch
        raise ValueError(
            f"for_epoch{place} yields no batch, though num_batches={len(self)}: it must yield the "
            "rest of the epoch, starting at the batch with this number"
        )

    def stream(self, places: Iterable[tuple[int, int]]) -> Iterator:
        """The batches at the given places, in order; some are read ahead."""
        pool = ThreadPoolExecutor(self.workers)
        try:
            yield from in_order(pool, self.batch, places, ahead=self.workers + 1)
        finally:
            pool.shutdown(cancel_futures=True)

    def first_epoch(self, steps: int | None = None) -> "EpochDataset":
        """Returns the same data with at most `steps` batches; every pass is epoch 0."""
        # Keras keeps batches read beyond the last step for the next pass.
        source = replace(self.source, num_batches=min(steps or len(self), len(self)))
        return EpochDataset(source, self.workers, repeats_first=True)
