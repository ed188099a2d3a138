import time

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from keras_spade.datasets.folders.pairing import Listing  # noqa: E402
from keras_spade.datasets.folders.pipeline import batches  # noqa: E402


class SleepyReader:
    """A sample contains its number and its three draws; the first one is slow."""

    image_size = (1, 4)
    label_dtype = np.dtype("int32")
    image_dtype = np.dtype("uint8")
    image_channels = 3
    image_range = None

    def load(self, files):
        time.sleep(0.3 if files[0] == 0 else 0.02)
        return files[0]

    def window(self, number, draws):
        labels = np.concatenate([np.int32([number]), draws.view(np.int32)])
        return [labels[None], np.zeros((1, 4, 3), np.uint8)]


def epoch(dataset):
    samples = np.concatenate([batch["labels"].numpy()[:, 0] for batch in dataset])
    return samples[:, 0], np.ascontiguousarray(samples[:, 1:]).view(np.float32)


def listing(size):
    return Listing([(number, None) for number in range(size)])


def make(num_parallel_calls, shuffle=False, **options):
    return batches(
        listing(8),
        SleepyReader(),
        3,
        shuffle=shuffle,
        seed=5,
        num_parallel_calls=num_parallel_calls,
        **options,
    )


def test_a_batch_larger_than_the_data_is_reported():
    with pytest.raises(ValueError, match="at most the number of samples, 1, with drop_remainder"):
        batches(listing(1), SleepyReader(), 3, drop_remainder=True)


def test_a_slow_file_keeps_its_place():
    numbers, _ = epoch(make(num_parallel_calls=4))
    assert numbers.tolist() == list(range(8))


def test_draws_are_new_for_each_sample_and_epoch_and_the_same_under_any_parallelism():
    dataset, again = make(1, shuffle=True), make(4, shuffle=True)
    first, second = epoch(dataset), epoch(dataset)
    for wanted in (first, second):
        for left, right in zip(wanted, epoch(again), strict=True):
            assert np.array_equal(left, right)
    draws = np.concatenate([first[1], second[1]]).ravel()
    assert len(set(draws.tolist())) == 48
    assert 0 <= draws.min() and draws.max() < 1
