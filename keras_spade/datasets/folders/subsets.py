"""Splits off samples for validation, chosen by their names."""

import hashlib
import os
from dataclasses import replace

from keras_spade.datasets.folders.pairing import Listing

SUBSETS = ("training", "validation", "both")


def check_subset(validation_split: float | None, subset: str | None) -> None:
    """Checks `validation_split` and `subset` of `paired_folders`."""
    if subset not in (None, *SUBSETS):
        raise ValueError(f"subset must be {', '.join(map(repr, SUBSETS))} or None, got {subset!r}")
    if (validation_split is None) != (subset is None):
        raise ValueError(
            "validation_split and subset must be given together: the share of the samples to hold "
            f"out for validation, and which to use; got {validation_split!r} and {subset!r}"
        )
    number = isinstance(validation_split, (int, float)) and not isinstance(validation_split, bool)
    if subset is not None and not (number and 0 < validation_split < 1):
        raise ValueError(
            f"validation_split must be between 0 and 1, such as 0.1; got {validation_split!r}"
        )


def place_of(name: str) -> float:
    """A number in [0, 1) from a name: the first 8 bytes of its SHA-256 as a fraction."""
    digest = hashlib.sha256(os.fsencode(name.replace(os.sep, "/"))).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def subset_of(listing: Listing, validation_split: float | None, subset: str | None) -> Listing:
    """The `Listing` of a subset's samples, "training" or "validation".

    A sample belongs to validation if `place_of` its name is below `validation_split`.

    Raises:
        ValueError: if the arguments are out of range, or no sample is left.
    """
    check_subset(validation_split, subset)
    if subset is None:
        return listing
    if not listing.names:
        raise ValueError(
            "subset is for datasets of files; write separate records for each subset instead"
        )
    kept = [
        (place_of(name) < validation_split) == (subset == "validation") for name in listing.names
    ]
    chosen = [number for number, wanted in enumerate(kept) if wanted]
    if not chosen:
        raise ValueError(
            f"validation_split={validation_split} leaves none of {len(kept)} samples for the "
            f"{subset} set, because each is chosen by its name alone; choose another share"
        )
    names, samples = ([values[n] for n in chosen] for values in (listing.names, listing.samples))
    return replace(listing, names=names, samples=samples)
