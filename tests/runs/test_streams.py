"""Where in the data training resumes, tested with datasets of numbers."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from support.tiny_gan import tiny_batch, tiny_gan

tf = pytest.importorskip("tensorflow", reason="tf.data is TensorFlow's")

from keras_spade.backends import backend
from keras_spade.backends.tensorflow import split_over_workers
from keras_spade.datasets import Source, by_epoch, epoch_order
from keras_spade.datasets.by_epoch import one_epoch
from keras_spade.datasets.epoch_dataset import EpochDataset
from keras_spade.runs.fit_data import FitData
from keras_spade.runs.streams import training_data
from keras_spade.runs.tensorflow_streams import stream_from


def of_epochs():
    def for_epoch(epoch, first_batch):
        order = epoch_order(7, epoch, seed=1)
        return tf.data.Dataset.from_tensor_slices(order).batch(2).skip(first_batch)

    return by_epoch(for_epoch, 4)


def shuffled():
    return tf.data.Dataset.range(7).shuffle(7, seed=3).batch(2)


def fixed():
    return tf.data.Dataset.range(7).batch(2)


def batches(stream):
    return [batch.tolist() for batch in stream.as_numpy_iterator()]


@pytest.mark.parametrize("make", [of_epochs, shuffled, fixed])
@pytest.mark.parametrize("steps_per_epoch", [None, 3, 6])
def test_the_rest_is_that_of_the_whole(make, steps_per_epoch):
    steps = steps_per_epoch or 4
    whole, got_steps = stream_from(make(), (0, 0), 0, 3, steps_per_epoch)
    whole = batches(whole)
    assert got_steps == steps and len(whole) >= 3 * steps
    if make is not fixed:
        assert whole[:4] != whole[4:8]
    for epoch, step in itertools.product(range(3), range(steps)):
        rest, _ = stream_from(make(), (epoch, step), 0, 3, steps_per_epoch)
        assert batches(rest) == whole[epoch * steps + step :], (epoch, step)


def test_a_stream_is_the_datasets_own_passes():
    dataset = shuffled()
    passes = [batches(dataset) for _ in range(3)]
    stream, _ = stream_from(shuffled(), (0, 0), 0, 3, None)
    assert batches(stream) == sum(passes, [])


def test_epochs_before_the_first_are_not_counted_for_other_datasets():
    first, _ = stream_from(shuffled(), (0, 0), 0, 1, None)
    later, _ = stream_from(shuffled(), (10, 0), 10, 11, None)
    assert batches(first) == batches(later)
    numbered, _ = stream_from(of_epochs(), (10, 0), 10, 11, None)
    order = epoch_order(7, 10, seed=1).numpy().tolist()
    assert sum(batches(numbered), []) == order


def test_endless_datasets_go_on_by_steps():
    counter = tf.data.Dataset.counter().batch(2)
    stream, steps = stream_from(counter, (2, 1), 0, 3, 5)
    assert steps == 5 and next(iter(stream)).numpy().tolist() == [22, 23]


def test_nothing_is_left_at_the_end():
    stream, _ = stream_from(shuffled(), (3, 0), 0, 3, None)
    assert batches(stream) == []


def test_a_place_needs_a_number_of_batches():
    unknown = tf.data.Dataset.range(7).filter(lambda n: n > 2).batch(2)
    with pytest.raises(ValueError, match="number of batches of the dataset is unknown"):
        stream_from(unknown, (0, 0), 0, 1, None)
    known = unknown.apply(tf.data.experimental.assert_cardinality(2))
    assert batches(stream_from(known, (0, 1), 0, 1, None)[0]) == [[5, 6]]
    with pytest.raises(ValueError, match="or pass `steps_per_epoch`"):
        stream_from(tf.data.Dataset.counter().batch(2), (0, 0), 0, 1, None)
    with pytest.raises(ValueError, match="is empty"):
        stream_from(tf.data.Dataset.range(0), (0, 0), 0, 1, None)


def test_validation_is_one_epoch_each_time():
    dataset = one_epoch(of_epochs())
    assert len(dataset) == 4 and batches(dataset) == batches(dataset) == batches(of_epochs())
    other, arrays = fixed(), {"labels": np.zeros(3)}
    assert one_epoch(other) is other and one_epoch(arrays) is arrays


def test_workers_split_batches_unless_set_otherwise():
    policy = tf.data.experimental.AutoShardPolicy

    def policy_of(dataset):
        return split_over_workers(dataset).options().experimental_distribute.auto_shard_policy

    assert policy_of(fixed()) == policy.DATA
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = policy.OFF
    assert policy_of(fixed().with_options(options)) == policy.OFF
    assert split_over_workers(None) is None
    stream, _ = stream_from(fixed().with_options(options), (0, 0), 0, 1, None)
    assert policy_of(stream) == policy.OFF


def test_evaluation_sees_the_first_epoch_each_time():
    batch = tiny_batch()

    def for_epoch(epoch, first_batch):
        darker = {**batch, "image": batch["image"] / tf.cast(epoch + 1, tf.float32)}
        return tf.data.Dataset.from_tensors(darker).skip(first_batch)

    gan = tiny_gan(latent_dim=None)
    data = by_epoch(for_epoch, 1)
    want = gan.evaluate(batch, verbose=0)
    assert [gan.evaluate(data, verbose=0) for _ in range(2)] == [want, want]


@pytest.mark.parametrize("steps_per_epoch", [None, 3, 6])
def test_without_tensorflow_the_rest_is_that_of_the_whole(steps_per_epoch):
    read = []

    def for_epoch(epoch, number):
        read.append((epoch, number))
        return [4 * epoch + number]

    def stream(place):
        read.clear()
        x = EpochDataset(Source(for_epoch, 4), workers=2)
        data = FitData(x, None, None, True, steps_per_epoch)
        found = training_data(SimpleNamespace(steps_per_execution=1), data, place, 3, None)
        assert (found.shuffle, found.steps_per_epoch) == (False, steps)
        return [batch for (batch,) in found.x]

    steps = steps_per_epoch or 4
    for epoch, step in itertools.product(range(3), range(steps)):
        first = epoch * steps + step
        # If Keras' loop reads batches of past steps, it gets that many dummies.
        past = step if backend.READS_BATCHES_OF_PAST_STEPS else 0
        assert stream((epoch, step)) == [first] * past + list(range(first, 3 * steps))
        assert sorted(read) == [divmod(number, 4) for number in range(first, 3 * steps)]
    assert stream((3, 0)) == [3 * steps]  # One, for Keras to inspect.
