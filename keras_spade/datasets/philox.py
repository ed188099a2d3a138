"""Random numbers as a function of a seed alone: TensorFlow's stateless ones, in NumPy.

They determine order, crops and flips of every epoch, with and without TensorFlow, so a backup
resumes with the same samples on every backend. The generator is Philox4x32-10 (Salmon et al. 2011,
"Parallel random numbers: as easy as 1, 2, 3", section 3.3).
"""

import numpy as np
from numpy.typing import ArrayLike

ROUNDS = 10
MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], np.uint64)
KEY_STEPS = np.array([0x9E3779B9, 0xBB67AE85], np.uint64)
# TensorFlow derives key and counter from a seed with this key.
SEED_KEY = np.array([0x3EC8F720, 0x02461E29], np.uint64)
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def epoch_seed(epoch: int, seed: int) -> np.ndarray:
    """The seed of an epoch, uint64 `(2,)`.

    Args:
        epoch: int.
        seed: int, the seed of the dataset.
    """
    return fold_in(np.array([seed % 2**64, 0], np.uint64), [epoch])[0]


def fold_in(seed: np.ndarray, numbers: ArrayLike) -> np.ndarray:
    """A seed for each number, equal to that of `tf.random.experimental.stateless_fold_in`.

    Args:
        seed: uint64 `(2,)`.
        numbers: non-negative integers `(n,)`.

    Returns:
        uint64 `(n, 2)`.
    """
    (low, high, *_), *_ = _blocks(seed[None], np.zeros(1, np.uint64))
    numbers = np.asarray(numbers).astype(np.uint64)
    return np.stack([np.full_like(numbers, low | high << HALF), numbers], axis=1)


def uniform(seeds: np.ndarray) -> np.ndarray:
    """Three numbers in [0, 1) per seed, as from `tf.random.stateless_uniform((3,), seed)`.

    Args:
        seeds: uint64 `(n, 2)`.

    Returns:
        float32 `(n, 3)`.
    """
    words = _blocks(seeds, np.zeros(1, np.uint64))[:, :3].astype(np.uint32)
    ones = (words & np.uint32(0x7FFFFF)) | np.uint32(0x3F800000)  # The bits of floats in [1, 2).
    return ones.view(np.float32) - np.float32(1)


def shuffled(count: int, seed: np.ndarray) -> np.ndarray:
    """The numbers below `count` in the order of `tf.random.experimental.stateless_shuffle`.

    Args:
        count: int.
        seed: uint64 `(2,)`.

    Returns:
        int64 `(count,)`.
    """
    order = list(range(count))
    words = _blocks(seed[None], np.arange((count + 3) // 4, dtype=np.uint64)).ravel()
    left = np.arange(count, 1, -1, dtype=np.uint64)
    for place, further in enumerate((words[: len(left)] % left).tolist()):
        other = place + further
        order[place], order[other] = order[other], order[place]
    return np.array(order, np.int64)


def _blocks(seeds, numbers):
    """Numbered blocks of each seed's stream; seeds and numbers broadcast.

    Args:
        seeds: uint64 `(n, 2)`.
        numbers: uint64 `(n,)`.

    Returns:
        uint64 `(n, 4)`, 32 bits in each.
    """
    first, second = seeds[:, 0], seeds[:, 1]
    mixed = _philox([first & LOW, first >> HALF, second & LOW, second >> HALF], SEED_KEY)
    key, upper = mixed[:2], mixed[2:]
    return np.stack(_philox([numbers & LOW, numbers >> HALF, *upper], key), axis=1)


def _philox(counter, key):
    """Maps each counter of four words to four words, given a key of two."""
    a, b, c, d = counter
    key = list(key)
    for _ in range(ROUNDS):
        one, two = MULTIPLIERS[0] * a, MULTIPLIERS[1] * c
        a, b, c, d = (two >> HALF) ^ b ^ key[0], two & LOW, (one >> HALF) ^ d ^ key[1], one & LOW
        key = [(word + step) & LOW for word, step in zip(key, KEY_STEPS, strict=True)]
    return a, b, c, d
