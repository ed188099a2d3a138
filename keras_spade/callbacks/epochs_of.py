"""Matching the values of a history to epochs, if there are fewer values than epochs."""

from collections.abc import Sequence


def epochs_of(values: Sequence, epochs: Sequence[int]) -> Sequence[int]:
    """The epochs that logged a number.

    They are every n-th epoch (`validation_freq=n`), if the numbers match; else the last ones.

    Args:
        values: the logged values in order, at most one per epoch.
        epochs: the numbers of all epochs, as in `keras.callbacks.History`.

    Example:

    >>> from keras_spade.callbacks.epochs_of import epochs_of
    >>> epochs_of([0.5, 0.25], [0, 1, 2, 3]), epochs_of([0.5, 0.25, 0.125], [0, 1, 2, 3])
    ([1, 3], [1, 2, 3])
    """
    step = len(epochs) // max(1, len(values))
    if step > 1 and len(epochs) // step == len(values):
        return epochs[step - 1 :: step]
    return epochs[max(0, len(epochs) - len(values)) :]
