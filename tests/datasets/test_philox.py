import numpy as np
import pytest

from keras_spade.datasets import philox

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("counter", "key", "want"),
    [  # Known answers from the tests of Random123, its authors' library.
        ("00000000" * 4, "00000000" * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff" * 4, "ffffffff" * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            "243f6a8885a308d313198a2e03707344",
            "a4093822299f31d0",
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers(counter, key, want):
    counter, key = (
        [np.array([int(text[i : i + 8], 16)], np.uint64) for i in range(0, len(text), 8)]
        for text in (counter, key)
    )
    assert " ".join(f"{int(word[0]):08x}" for word in philox._philox(counter, key)) == want


@pytest.mark.parametrize("seed", [0, 1, -3, 2**40, 2**63 - 1])
def test_numbers_are_those_of_tensorflow(seed):
    tf = pytest.importorskip("tensorflow")
    for epoch in (0, 1, 2**33):
        theirs = tf.random.experimental.stateless_fold_in(
            tf.constant([seed, 0], tf.int64), tf.constant(epoch, tf.int64)
        )
        ours = philox.epoch_seed(epoch, seed)
        assert ours.view(np.int64).tolist() == theirs.numpy().tolist()
        for count in (0, 1, 2, 5, 1000):
            order = tf.random.experimental.stateless_shuffle(tf.range(count), theirs)
            assert philox.shuffled(count, ours).tolist() == order.numpy().tolist()
        places = [0, 1, 7, 10**6]
        draws = [
            tf.random.stateless_uniform(
                (3,), tf.random.experimental.stateless_fold_in(theirs, tf.constant(place, tf.int64))
            )
            for place in places
        ]
        np.testing.assert_array_equal(philox.uniform(philox.fold_in(ours, places)), draws)
