"""What makes the batches of an epoch, with and without TensorFlow."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from keras_spade.datasets import philox
from keras_spade.images import to_floats

FLOATS = ("edges", "image")


@dataclass(frozen=True, eq=False)
class EpochPlan:
    """Which samples make which batches of an epoch, and how one is read.

    Every sample gets three uniform draws of its own, made from the seed, the epoch and its number
    or its place in the epoch. So it depends neither on how many samples are read in parallel nor on
    the epochs before.

    Args:
        size: number of samples.
        batch_size: samples a batch, of this worker.
        read: function of a sample's number and its draws, that returns its arrays.
        arrays: dict of the arrays' names -> `(dtype, shape)`.
        seed: int.
        shuffle: whether each epoch has an order of its own.
        drop_remainder: whether a last batch of fewer samples is left out.
        draws_by_place: whether draws are those of the place in the epoch, not of the number.
        shard: `(index, count)` of one of several workers.
        advice: what the message of an error while reading ends with.
    """

    size: int
    batch_size: int
    read: Callable
    arrays: dict[str, tuple]
    seed: int
    shuffle: bool
    drop_remainder: bool
    draws_by_place: bool = True
    shard: tuple[int, int] = (0, 1)
    advice: str = ""
    _known: dict = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def num_batches(self) -> int:
        """Batches in an epoch."""
        whole, rest = divmod(self.size, self.batch_size * self.shard[1])
        return whole if self.drop_remainder else whole + bool(rest)

    def samples(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The samples of an epoch, those of this worker.

        Args:
            epoch: its number.

        Returns:
            Their numbers, int64 `(n,)`, and their draws, float32 `(n, 3)`, in their order.
        """
        seed = philox.epoch_seed(epoch, self.seed)
        places = np.arange(self.size)
        numbers = philox.shuffled(self.size, seed) if self.shuffle else places
        index, count = self.shard
        if count > 1:
            rows = places[: self.num_batches * count * self.batch_size]
            mine = rows.reshape(-1, count, self.batch_size)[:, index].ravel()
            numbers, places = numbers[mine], places[mine]
        drawn_by = places if self.draws_by_place else numbers
        return numbers, philox.uniform(philox.fold_in(seed, drawn_by))

    def batches(self, epoch: int, first_batch: int) -> Iterator[dict[str, np.ndarray]]:
        """The batches of an epoch from some place in it on.

        Args:
            epoch: its number.
            first_batch: the number of the first that is wanted.
        """
        with self._lock:  # Of many threads that begin an epoch, one finds its order.
            if epoch not in self._known:
                for other in list(self._known)[:-1]:
                    del self._known[other]
                self._known[epoch] = self.samples(epoch)
            numbers, draws = self._known[epoch]
        for batch in range(first_batch, self.num_batches):
            rows = slice(batch * self.batch_size, (batch + 1) * self.batch_size)
            read = map(self._read, numbers[rows], draws[rows])
            stacked = map(np.stack, zip(*read, strict=True))
            yield converted(dict(zip(self.arrays, stacked, strict=True)), np.ndarray.astype)

    def _read(self, number, draws):
        try:
            return self.read(number, draws)
        except ValueError as error:
            if not self.advice:
                raise
            raise ValueError(f"{str(error).rstrip('.')}. {self.advice}") from None


def converted(batch: dict, cast: Callable) -> dict:
    """The arrays of a batch as networks take them: ids int32, all else float32.

    Args:
        batch: arrays or tensors by name; an image of bytes becomes one in [-1, 1].
        cast: function of an array and the name of a dtype.
    """
    found = {k: cast(array, "float32" if k in FLOATS else "int32") for k, array in batch.items()}
    if batch["image"].dtype == "uint8":
        found["image"] = to_floats(found["image"])
    return found
