"""Makes the batches of an epoch, with and without TensorFlow."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from keras_spade.datasets import philox
from keras_spade.images import to_floats

FLOATS = ("edges", "image")


@dataclass(frozen=True, eq=False)
class EpochPlan:
    """Determines which samples form each batch of an epoch, and how a sample is read.

    Every sample gets three uniform draws, computed from the seed, the epoch and the sample's number
    or place in the epoch. So it depends neither on how many samples are read in parallel nor on
    earlier epochs.

    Args:
        size: number of samples.
        batch_size: samples per batch of this worker.
        read: function of a sample's number and draws that returns its arrays.
        arrays: dict array name -> `(dtype, shape)`.
        seed: int.
        shuffle: whether each epoch has a different order.
        drop_remainder: whether to omit an incomplete last batch.
        draws_by_place: whether draws depend on the place in the epoch, not on the sample's number.
        shard: `(index, count)` of one of several workers.
        advice: the end of the message of an error raised while reading.
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
        """Batches per epoch."""
        whole, rest = divmod(self.size, self.batch_size * self.shard[1])
        return whole if self.drop_remainder else whole + bool(rest)

    def samples(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """This worker's samples of an epoch.

        Args:
            epoch: its number.

        Returns:
            Their numbers, int64 `(n,)`, and draws, float32 `(n, 3)`, in order.
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
        """The batches of an epoch, starting at any of them.

        Args:
            epoch: its number.
            first_batch: the number of the first batch.
        """
        with self._lock:  # Many threads begin an epoch; one computes its order.
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
    """The arrays of a batch as the networks expect them: ids int32, all else float32.

    Args:
        batch: arrays or tensors by name; images of bytes are scaled to [-1, 1].
        cast: function of an array and a dtype name.
    """
    found = {k: cast(array, "float32" if k in FLOATS else "int32") for k, array in batch.items()}
    if batch["image"].dtype == "uint8":
        found["image"] = to_floats(found["image"])
    return found
