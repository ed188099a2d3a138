"""The result of `inspect_dataset`."""

from dataclasses import dataclass, field

MOST_LINES = 40


@dataclass
class DatasetReport:
    """The contents and problems of a dataset; `str` returns a table.

    Args:
        samples: number of pairs of files.
        unmatched: dict file -> why it belongs to no sample.
        bad_files: dict image file -> why its sample cannot be used.
        image_sizes: dict `(height, width)` -> number of images.
        image_kinds: dict `(channels, data type)` -> number of images.
        image_range: the smallest and largest value in the images; `None` for RGB photographs.
        pixels: dict id or colour in the label files -> share of all pixels.
        images: dict id or colour -> number of label maps that contain it.
        suspicious: findings that look wrong but are not errors.
        call: the call that loads the dataset; `None` if there is none.
        names: dict id -> class name, where known.
        notes: notes on the call.
        command: the `examples/train.py` command that trains on the same data, or `None`.

    Example:

    >>> from keras_spade.datasets import DatasetReport
    >>> report = DatasetReport(2, pixels={0: 0.75, 255: 0.25}, images={0: 2, 255: 1})
    >>> print(report)
    samples: 2
    files without partner: 0
    samples that cannot be used: 0
    ids in the label files (share of pixels, label maps):
      0    75.000 %  2
      255  25.000 %  1
    """

    samples: int
    unmatched: dict = field(default_factory=dict)
    bad_files: dict = field(default_factory=dict)
    image_sizes: dict = field(default_factory=dict)
    pixels: dict = field(default_factory=dict)
    images: dict = field(default_factory=dict)
    suspicious: list = field(default_factory=list)
    call: str | None = None
    names: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    command: str | None = None
    image_kinds: dict = field(default_factory=dict)
    image_range: tuple | None = None

    def __str__(self):
        lines = [f"samples: {self.samples}"]
        sizes = [f"  {h} x {w}: {count}" for (h, w), count in self.image_sizes.items()]
        if sizes:
            lines += ["sizes of images (height x width):", *_first(sizes, 8)]
        if set(self.image_kinds) - {(3, "uint8")}:
            kinds = [f"  {c} x {kind}: {n}" for (c, kind), n in self.image_kinds.items()]
            lines += ["channels and data types of images:", *_first(kinds, 8)]
            if self.image_range:
                lines += [f"  from {self.image_range[0]:g} to {self.image_range[1]:g}"]
        lines += [f"files without partner: {len(self.unmatched)}", *_reasons(self.unmatched)]
        lines += [f"samples that cannot be used: {len(self.bad_files)}", *_reasons(self.bad_files)]
        if self.pixels:
            kind = "colours" if isinstance(next(iter(self.pixels)), tuple) else "ids"
            lines += [f"{kind} in the label files (share of pixels, label maps):"]
            width = max(len(str(value)) for value in self.pixels)
            lines += _first(
                [
                    f"  {value!s:{width}}  {100 * share:6.3f} %  {self.images.get(value, 0)}"
                    + (f"  {self.names[value]}" if value in self.names else "")
                    for value, share in self.pixels.items()
                ]
            )
        lines += [f"suspicious: {text}" for text in self.suspicious]
        if self.call:
            lines += ["load it with", self.call]
        if self.command:
            lines += ["or train on it with", self.command]
        lines += [f"note: {text}" for text in self.notes]
        return "\n".join(lines)


def _reasons(files):
    return _first([f"  {reason}" for reason in files.values()], 20)


def _first(lines, most=MOST_LINES):
    rest = [f"  ... and {len(lines) - most} more"] if len(lines) > most else []
    return lines[:most] + rest
