import time

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from keras_spade.datasets._pipeline import batches  # noqa: E402


class SleepyReader:
    """A sample holds its number and its three draws; the first takes long."""

    image_size = (1, 1)

    def __call__(self, files, draws):
        number = files[0]
        time.sleep(0.3 if number == 0 else 0.02)
        return [np.full((1, 1), number, np.int32), np.reshape(draws, (1, 1, 3))]


def epoch(dataset):
    samples = [(b["labels"].numpy().ravel(), b["image"].numpy()[:, 0, 0]) for b in dataset]
    return [np.concatenate(part) for part in zip(*samples, strict=True)]


def make(num_parallel_calls, shuffle=False):
    files = [(number, None) for number in range(8)]
    return batches(files, SleepyReader(), 3, shuffle, 5, False, num_parallel_calls)


def test_a_batch_larger_than_the_data_is_told():
    with pytest.raises(ValueError, match="at most the number of samples, 1, with drop_remainder"):
        batches([(0, None)], SleepyReader(), 3, False, 5, True, 1)


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
