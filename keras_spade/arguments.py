"""Argument checks shared by many functions."""

import operator
from collections.abc import Sequence
from typing import Any

COUNTED_FROM_0 = (
    'Ids are counted from 0: if yours start at 1, subtract 1. An id that means "don\'t care" '
    "becomes `num_classes`, in networks with void_class=True."
)


def integer_at_least(least: int, argument: str, value: Any, wanted: str) -> int:
    """Returns an argument as an int of at least `least`.

    Args:
        least: an int.
        argument: its name in the message.
        value: the value passed.
        wanted: the requirement that the message states.

    Returns:
        The int.

    Raises:
        ValueError: for anything else, booleans included.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise ValueError(f"{argument} must be {wanted}, got {value!r}.")
    return number


def positive_integer(argument: str, value: Any, wanted: str = "at least 1") -> int:
    """Returns an argument as an int of at least 1; see `integer_at_least`.

    Args:
        argument: its name in the message.
        value: the value passed.
        wanted: the requirement that the message states.

    Returns:
        An int.

    Raises:
        ValueError: for anything else.
    """
    return integer_at_least(1, argument, value, wanted)


def positive_integers(
    argument: str, values: Any, count: int, wanted: str, least: int = 1
) -> tuple[int, ...]:
    """Returns an argument as a tuple of `count` ints of at least `least`.

    Args:
        argument: its name in the message.
        values: the values passed.
        count: the required number of values.
        wanted: the requirement that the message states.
        least: an int.

    Returns:
        A tuple of ints.

    Raises:
        ValueError: for anything else.
    """
    try:
        numbers = tuple(integer_at_least(least, argument, value, wanted) for value in values)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != count:
        raise ValueError(f"{argument} must be {wanted}, got {values!r}.")
    return numbers


def ids_out_of_range(num_classes: int, low: int | None = None, high: int | None = None) -> str:
    """Returns the message for label ids that are not a class.

    Args:
        num_classes: ids are `0..num_classes-1`.
        low: the smallest id found.
        high: the largest.

    Returns:
        The message, or only its beginning if no ids are given.
    """
    message = f"`labels` must hold ids 0..{num_classes - 1}; found (smallest, largest):"
    if low is None:
        return message
    return f"{message} {low}, {high}. {COUNTED_FROM_0}"


def samples_by_name(x: Any, y: Any = None, key: str = "labels") -> dict[str, Any]:
    """Returns the arguments `x` and `y` of Keras' loops as a dict.

    Args:
        x: a dict, which is not changed, or an array.
        y: photographs, or `None`.
        key: the name of `x`, if it is an array.

    Returns:
        A new dict, with `y` as `"image"` unless `y` is `None`.
    """
    given = dict(x) if isinstance(x, dict) else {key: x}
    return given if y is None else given | {"image": y}


def shape_hint(shape: Sequence[int | None], wanted: Sequence[int | str | None]) -> str:
    """A hint for the error about an array of an unexpected shape, if the shape explains itself.

    Args:
        shape: of the array.
        wanted: a tuple such as `("batch", "H", "W")`, or with the known sizes.

    Example:

    >>> from keras_spade.arguments import shape_hint
    >>> shape_hint((4, 64, 64, 1), ("batch", "H", "W"))
    ' The last axis is superfluous: pass array[..., 0].'
    """
    shape = tuple(shape)
    if len(shape) == 3 and len(wanted) == 4 and shape[-1] != wanted[-1]:
        return " The channel axis is missing: pass array[..., None]."
    if len(shape) == len(wanted) - 1:
        return " The batch axis is missing: pass array[None]."
    if len(shape) == len(wanted) + 1:
        if shape[-1] == 1:
            return " The last axis is superfluous: pass array[..., 0]."
        return " For one-hot maps pass array.argmax(axis=-1)." if len(wanted) == 3 else ""
    if len(shape) == len(wanted) == 4 and shape[1] == wanted[-1] != shape[-1]:
        return " Channels come last: pass np.moveaxis(array, 1, -1)."
    return ""
