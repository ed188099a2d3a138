"""Samples on disk, read by number."""

import threading
from collections.abc import Sequence

import numpy as np

from keras_spade.datasets.folders.pairing import Listing, printable, report_skipped
from keras_spade.datasets.folders.sample_reader import SampleReader

MOST_SKIPPED_IN_A_ROW = 1000


class Samples:
    """Reads samples by number: `len`, `read(number, draws)`, `load(number)`, `skipped`."""

    def __init__(self, listing: Listing, reader: SampleReader, cache: bool, on_bad_file: str):
        if on_bad_file not in ("error", "skip"):
            raise ValueError(f'on_bad_file must be "error" or "skip", got {on_bad_file!r}')
        self.listing = listing
        self.reader = reader
        self.skips = on_bad_file == "skip"
        self.skipped = dict(listing.problems)
        self._bad = set()
        self._cache = {} if cache else None
        self._lock = threading.Lock()

    def __len__(self):
        return len(self.listing.samples)

    def read(self, number: int, draws: Sequence[float]) -> list[np.ndarray]:
        """The arrays of a sample for a batch; with `skips`, those of the next readable one."""
        error = None
        for step in range(min(len(self), MOST_SKIPPED_IN_A_ROW) if self.skips else 1):
            place = (int(number) + step) % len(self)
            if place in self._bad:
                continue
            try:
                return self.reader.window(self.load(place), draws)
            except ValueError as caught:
                error = ValueError(printable(caught))
            if self.skips:
                self.skip(place, str(error))
        if self.skips:
            raise ValueError(
                f"{min(len(self), MOST_SKIPPED_IN_A_ROW)} samples in a row cannot be read: "
                f"{next(reversed(self.skipped.values()))}"
            )
        raise error

    def load(self, number: int) -> list[np.ndarray]:
        """The arrays of a sample before the crop, from the cache if there is one."""
        if self._cache is None:
            return self.reader.load(self.listing.samples[number])
        arrays = self._cache.get(number)
        if arrays is None:
            arrays = self._cache[number] = self.reader.load(self.listing.samples[number])
        return arrays

    def skip(self, number: int, reason: str) -> None:
        """Skips a sample from now on, and reports it."""
        with self._lock:
            new = number not in self._bad
            self._bad.add(number)
        if new:
            samples = self.listing.samples
            file = samples[number][0] if isinstance(samples, list) else f"record {number}"
            self.skipped[file] = reason
            report_skipped(reason)
