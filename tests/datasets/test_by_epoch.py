import numpy as np
import tensorflow as tf

from keras_spade.datasets import by_epoch, epoch_order, synthetic_scenes


def numbered(size=7, batch_size=2, seed=0):
    def for_epoch(epoch, first_batch):
        order = epoch_order(size, epoch, seed)
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size).skip(first_batch)

    return by_epoch(for_epoch, -(-size // batch_size))


def one_pass(dataset):
    return [number for batch in dataset.as_numpy_iterator() for number in batch.tolist()]


def asked(dataset, epoch, first_batch=0):
    return one_pass(
        dataset.source.for_epoch(tf.constant(epoch, tf.int64), tf.constant(first_batch, tf.int64))
    )


def test_passes_are_epochs_in_their_order():
    dataset = numbered()
    assert len(dataset) == 4
    passes = [one_pass(dataset) for _ in range(3)]
    other = numbered()
    assert passes == [asked(other, epoch) for epoch in range(3)]
    assert passes[0] != passes[1] != passes[2]
    assert all(sorted(order) == list(range(7)) for order in passes)


def test_an_epoch_from_a_batch_on():
    dataset = numbered()
    assert asked(dataset, 5, 3) == asked(dataset, 5)[6:]
    assert asked(dataset, 5, 4) == []


def test_orders_depend_on_the_seed_and_not_on_tensorflows():
    tf.random.set_seed(1)
    first = [epoch_order(20, 3, seed).numpy().tolist() for seed in (0, 1, 2**40)]
    tf.random.set_seed(2)
    assert first == [epoch_order(20, 3, seed).numpy().tolist() for seed in (0, 1, 2**40)]
    assert first[0] != first[1] != first[2]
    assert epoch_order(5, 3, 0, shuffle=False).numpy().tolist() == [0, 1, 2, 3, 4]


def test_every_place_is_as_likely():
    orders = np.array([epoch_order(4, epoch, seed=0) for epoch in range(2000)])
    counts = np.array([np.bincount(column, minlength=4) for column in orders.T])
    # Binomial, 500 +- 19.
    assert np.abs(counts - 500).max() < 5 * 19.4


def test_scenes_go_on_in_the_middle_of_an_epoch():
    scenes = {"num_scenes": 7, "image_size": (32, 32), "batch_size": 2, "augment": True}
    dataset = synthetic_scenes(**scenes, drop_remainder=False)
    zero, two = tf.constant(0, tf.int64), tf.constant(2, tf.int64)
    whole = list(dataset.source.for_epoch(two, zero).as_numpy_iterator())
    rest = list(dataset.source.for_epoch(two, two).as_numpy_iterator())
    third = [list(dataset.as_numpy_iterator()) for _ in range(3)][2]
    assert [len(batch["image"]) for batch in whole] == [2, 2, 2, 1] and len(rest) == 2
    for some, others in ((whole[2:], rest), (whole, third)):
        for one, other in zip(some, others, strict=True):
            for key in one:
                np.testing.assert_array_equal(one[key], other[key])
