"""Checks of arguments that many functions share."""

import operator

COUNTED_FROM_0 = (
    'Ids are counted from 0: if yours begin with 1, subtract 1. An id that means "don\'t care" '
    "becomes `num_classes`, in networks with void_class=True."
)


def positive_integer(argument, value, wanted="at least 1"):
    """Returns an argument as an int of at least 1.

    Args:
        argument: its name, as the message shows it.
        value: what was given.
        wanted: what the message says that the argument must be.

    Returns:
        The int.

    Raises:
        ValueError: for anything else, booleans included.
    """
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"{argument} must be {wanted}, got {value!r}.")
    return number


def positive_integers(argument, values, count, wanted):
    """Returns an argument as a tuple of `count` ints of at least 1.

    Args:
        argument: its name, as the message shows it.
        values: what was given.
        count: how many there must be.
        wanted: what the message says that the argument must be.

    Returns:
        A tuple of ints.

    Raises:
        ValueError: for anything else.
    """
    try:
        numbers = tuple(positive_integer(argument, value) for value in values)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != count:
        raise ValueError(f"{argument} must be {wanted}, got {values!r}.")
    return numbers


def ids_out_of_range(num_classes, low=None, high=None):
    """The message for label ids that are no class.

    Args:
        num_classes: ids are `0..num_classes-1`.
        low: the smallest id found.
        high: the largest.

    Returns:
        The message; its beginning, if no ids are given.
    """
    message = f"`labels` must hold ids 0..{num_classes - 1}; found (smallest, largest):"
    if low is None:
        return message
    return f"{message} {low}, {high}. {COUNTED_FROM_0}"


def shape_hint(shape, wanted):
    """The end of a message about an array of another shape than wanted, where that tells.

    Args:
        shape: of the array.
        wanted: a tuple such as `("batch", "H", "W")`, or with the numbers that are known.

    Example:

    >>> from keras_spade.arguments import shape_hint
    >>> shape_hint((4, 64, 64, 1), ("batch", "H", "W"))
    ' The last axis is one too many: give array[..., 0].'
    """
    shape = tuple(shape)
    if len(shape) == 3 and len(wanted) == 4 and shape[-1] != wanted[-1]:
        return " The axis of the channels is missing: give array[..., None]."
    if len(shape) == len(wanted) - 1:
        return " One alone is a batch of one: give array[None]."
    if len(shape) == len(wanted) + 1:
        if shape[-1] == 1:
            return " The last axis is one too many: give array[..., 0]."
        return " Of one-hot maps give array.argmax(axis=-1)." if len(wanted) == 3 else ""
    if len(shape) == len(wanted) == 4 and shape[1] == wanted[-1] != shape[-1]:
        return " Channels come last: give np.moveaxis(array, 1, -1)."
    return ""
