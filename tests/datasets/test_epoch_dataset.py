"""Datasets without TensorFlow: the same samples as with it, and their threads."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from PIL import Image

from keras_spade.datasets import (
    Source,
    by_epoch,
    epoch_order,
    paired_folders,
    philox,
    source_of,
    synthetic_scenes,
    tfrecords,
    write_tfrecords,
)
from keras_spade.datasets.epoch_dataset import EpochDataset

pytestmark = pytest.mark.once
COUNT = 7


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photographs, label and instance maps of 24 x 30 noise, with a 16-bit array for each."""
    folder, rng = tmp_path_factory.mktemp("street"), np.random.default_rng(0)
    for kind in ("images", "deep", "labels", "instances"):
        (folder / kind).mkdir()
    for k in range(COUNT):
        ids = rng.integers(0, 5, (24, 30), dtype=np.uint8)
        Image.fromarray(ids).save(folder / "labels" / f"{k}.png")
        Image.fromarray(ids * 2).save(folder / "instances" / f"{k}.png")
        pixels = rng.integers(0, 256, (24, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{k}.png")
        np.save(folder / "deep" / f"{k}.npy", pixels.astype("uint16") * 16)
    return folder


@pytest.fixture
def no_tensorflow(monkeypatch):
    """Prevents imports of TensorFlow."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)


def scenes(**options):
    return synthetic_scenes(7, image_size=(32, 48), seed=3, augment=True, **options)


def folders(folder, **options):
    options = {"load_size": (20, 26), "flip": True, "seed": 3, **options}
    return paired_folders(folder, 5, (16, 18), **options)


MAKERS = {
    "folders": lambda folder: folders(folder, batch_size=3),
    "whole batches, edges": lambda folder: folders(
        folder, batch_size=3, drop_remainder=True, edges=True
    ),
    "shard": lambda folder: folders(folder, batch_size=2, drop_remainder=True, shard=(1, 2)),
    "floats": lambda folder: folders(
        folder, batch_size=3, image_folder="deep", image_range=(0, 4095)
    ),
    "in order": lambda folder: folders(folder, batch_size=2, shuffle=False, cache=True),
    "a part": lambda folder: folders(
        folder, batch_size=2, validation_split=0.4, subset="training", seed=-1
    ),
    "scenes": lambda folder: scenes(batch_size=2, drop_remainder=False),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_batches_are_those_of_tensorflow(make, folder, monkeypatch):
    pytest.importorskip("tensorflow")
    theirs = make(folder)
    want = [list(theirs.as_numpy_iterator()) for _ in range(2)]
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    ours = make(folder)
    assert isinstance(ours, keras.utils.PyDataset)
    assert len(ours) == ours.num_batches == len(theirs) == len(want[0]) > 1
    for batches in want:
        for one, other in zip(ours, batches, strict=True):
            assert list(one) == list(other)
            for key in one:
                assert one[key].dtype == other[key].dtype
                np.testing.assert_array_equal(one[key], other[key])
    assert not all(np.array_equal(a["labels"], b["labels"]) for a, b in zip(*want, strict=True))


def test_an_epoch_has_the_batches_that_its_number_says(folder, no_tensorflow):
    data = folders(folder, batch_size=2)
    first, second = list(data), list(data.as_numpy_iterator())
    again = folders(folder, batch_size=2)
    for wanted in (first, second):  # As in Keras.
        for number in (3, 0, 2, 1):
            for key, array in again[number].items():
                np.testing.assert_array_equal(array, wanted[number][key])
        again.on_epoch_end()
    with pytest.raises(IndexError, match="batch 4 of 4"):
        again[4]
    fixed = again.first_epoch()
    for _ in range(2):
        np.testing.assert_array_equal(next(iter(fixed))["image"], first[0]["image"])
        fixed.on_epoch_end()
    (batch,) = data.source.for_epoch(1, 3)
    np.testing.assert_array_equal(batch["image"], second[3]["image"])


def test_what_is_known_of_a_dataset_is_known_without_tensorflow(folder, no_tensorflow):
    source = source_of(folders(folder, batch_size=2))
    assert (source.num_classes, len(source.image_files), source.num_batches) == (5, 7, 4)
    assert source.call.arguments["load_size"] == (20, 26)
    assert source_of(scenes(batch_size=2)).class_names[0] == "sky"


def test_a_bad_file_is_named_in_one_line(folder, no_tensorflow):
    data = paired_folders(folder, 4, (16, 18), shuffle=False)
    message = r"0\.png: label ids out of range: 4; .*\. `datasets.inspect_dataset` reports all"
    with pytest.raises(ValueError, match=message) as caught:
        list(data)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=message):
        data[0]


def test_own_epochs(no_tensorflow):
    def for_epoch(epoch, first_batch):
        order = epoch_order(6, epoch, seed=0)
        for batch in range(first_batch, 3):
            yield {"labels": order[2 * batch : 2 * batch + 2]}

    data = by_epoch(for_epoch, 3)
    passes = [np.concatenate([batch["labels"] for batch in data]).tolist() for _ in range(3)]
    assert passes == [epoch_order(6, epoch, seed=0).tolist() for epoch in range(3)]
    assert passes[0] != passes[1] and sorted(passes[0]) == list(range(6))
    with pytest.raises(ValueError, match=r"epoch\(0, 3\) yields no batch, though num_batches=4"):
        list(by_epoch(for_epoch, 4))


def test_batches_are_read_in_parallel_and_in_order():
    together = threading.Barrier(3, timeout=60)  # Three threads must wait here together.

    def for_epoch(epoch, number):
        together.wait()
        time.sleep(0.05 * (number % 3 == 0))
        return [number]

    assert list(EpochDataset(Source(for_epoch, 9), workers=3)) == list(range(9))


def test_little_is_read_ahead_and_threads_end():
    read = []

    def for_epoch(epoch, number):
        read.append(number)
        return [number]

    before = threading.active_count()
    batches = iter(EpochDataset(Source(for_epoch, 1000), workers=2))
    assert [next(batches) for _ in range(2)] == [0, 1]
    batches.close()
    assert threading.active_count() == before
    assert len(read) <= 6


def test_an_epoch_is_ordered_once(folder, no_tensorflow, monkeypatch):
    counts, shuffled = [], philox.shuffled

    def slow(count, seed):
        counts.append(count)
        time.sleep(0.1)
        return shuffled(count, seed)

    monkeypatch.setattr(philox, "shuffled", slow)
    data = folders(folder, batch_size=1)
    with ThreadPoolExecutor(7) as pool:
        assert len(list(pool.map(data.__getitem__, range(7)))) == 7
    assert counts == [7]


def test_records_need_tensorflow(folder, no_tensorflow, tmp_path):
    data = folders(folder, batch_size=1)
    with pytest.raises(ImportError, match="^write_tfrecords needs TensorFlow, .* cache=True"):
        write_tfrecords(data, tmp_path)
    with pytest.raises(ImportError, match="^tfrecords needs TensorFlow, .* with paired_folders"):
        tfrecords(tmp_path)


def test_validation_steps_read_the_same_batches_each_time():
    from keras.src.trainers.epoch_iterator import EpochIterator

    source = Source(lambda epoch, first: ({"n": np.array([n])} for n in range(first, 7)), 7)
    data = EpochDataset(source, workers=2).first_epoch(2)
    # Like validation in `fit`: one iterator for all epochs.
    iterator = EpochIterator(data, steps_per_epoch=2)
    passes = []
    for _ in range(3):
        iterator.reset()
        with iterator.catch_stop_iteration():
            passes.append([int(batches[0]["n"][0]) for _, _, batches in iterator])
    assert passes == [[0, 1]] * 3


def test_the_first_pass_is_any_epoch():
    source = Source(lambda epoch, first: (10 * epoch + n for n in range(first, 2)), 2)
    data = EpochDataset(source, workers=1, first_pass=3)
    assert [list(data), list(data)] == [[30, 31], [40, 41]]
