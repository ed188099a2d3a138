"""Explains why file names in two folders do not match, if the names show it."""

import os
import re
from collections.abc import Collection

FEWEST = 2


def how_names_differ(
    names: Collection[str], others: Collection[str], kinds: tuple[str, str]
) -> str:
    """The end of a message about unpaired files; empty if their names do not show the reason.

    Args:
        names: names of the files of one kind, without suffix.
        others: names of the files of the other kind.
        kinds: names of the two kinds.

    Example:

    >>> from keras_spade.datasets.folders.naming import how_names_differ
    >>> how_names_differ(["1", "2"], ["1_mask", "2_mask"], ("image", "label"))
    "; names of labels end with '_mask': rename the files, so that pairs have the same name"
    """
    if set(map(str.casefold, names)) & set(map(str.casefold, others)):
        difference = "names differ in upper and lower case"
    elif set(map(_unpadded, names)) & set(map(_unpadded, others)):
        difference = "numbers differ in leading zeros"
    else:
        difference = _other_ends(names, others, kinds)
    ending = ": rename the files, so that pairs have the same name"
    return f"; {difference}{ending}" if difference else ""


def _other_ends(names, others, kinds):
    """Describes the common prefixes and suffixes if names match without them; else empty."""
    if min(len(names), len(others)) < FEWEST:
        return ""
    ends = [_ends(names), _ends(others)]
    middles = [
        {name[len(begin) : len(name) - len(end)] for name in set_}
        for (begin, end), set_ in zip(ends, (names, others), strict=True)
    ]
    fewer, more = sorted(middles, key=len)
    if not fewer <= more or ends[0] == ends[1]:
        return ""
    parts = [
        f"names of {kind}s {verb} with {own!r}"
        for kind, mine, theirs in zip(kinds, ends, reversed(ends), strict=True)
        for verb, own, other in zip(("begin", "end"), mine, theirs, strict=True)
        if own and own != other
    ]
    return " and ".join(parts)


def _ends(names):
    """The common prefix and suffix of names, without digits next to the differing part."""
    begin = re.sub(r"\d+$", "", os.path.commonprefix(names))
    rest = [name[len(begin) :] for name in names]
    end = os.path.commonprefix([name[::-1] for name in rest])[::-1]
    return begin, re.sub(r"^\d+", "", end)


def _unpadded(name):
    return re.sub(r"\d+", lambda number: number[0].lstrip("0"), name)
