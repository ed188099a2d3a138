"""Detects label maps changed by interpolation or lossy compression."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from keras_spade.datasets.folders.label_mapping import color_codes
from keras_spade.datasets.folders.opening import File

# An area begins with AREA pixels in a row of one label; the next one begins after at most FAR short
# runs of others.
AREA, FAR = 4, 8
# Between ids closer than this, rounding may give no other id.
APART = 3
# In drawn maps, at least half of the borders are sharp, with dense thin lines a quarter; after
# interpolation, or JPEG up to quality 95, mostly less than a tenth.
SMOOTH, ROUGH = 0.2, 0.3
# If one label makes up this share of the runs between areas, it is a line drawn around them.
DRAWN = 0.6
FEWEST_BORDERS = 50
# Maps with a smaller share of pixels in areas are not judged.
IN_AREAS = 0.5
LINES = 64


def refuse_smooth(file: File, labels: np.ndarray) -> "Borders":
    """Returns the `Borders` of ids (H, W), or colours (H, W, 3).

    Raises:
        ValueError: if they are smooth; it names the file.
    """
    borders = Borders.of(labels)
    if not borders.are_smooth:
        return borders
    kind, way_out = "colours", ""
    if labels.ndim == 2:
        kind, way_out = "ids", "; if it was drawn like this, pass allow_smooth_labels=True"
    raise ValueError(
        f"{file}: few borders are sharp; other {kind} lie between its areas, as in label maps that "
        f"were resized with smoothing or once saved as JPEG, which creates {kind} that belong to "
        f"neither class. Resize label maps by nearest neighbour{way_out}"
    )


@dataclass
class Borders:
    """Counts over some rows and columns of a label map, which are enough to detect smoothing."""

    pixels: int = 0
    in_areas: int = 0  # pixels
    borders: int = 0  # between areas
    sharp: int = 0  # of these, without other labels between
    between: int = 0  # runs of other labels
    most_frequent: int = 0  # of these, of the most frequent label

    @classmethod
    def of(cls, labels: np.ndarray) -> Self:
        """Counts borders in ids (H, W), or colours (H, W, 3)."""
        found, others = cls(), []
        codes = color_codes(labels) if labels.ndim == 3 else labels
        for lines in (codes, codes.T):
            lines = lines[:: max(1, len(lines) // LINES)]
            width = lines.shape[1]
            begins = np.ones(lines.shape, bool)
            begins[:, 1:] = lines[:, 1:] != lines[:, :-1]
            places = np.flatnonzero(begins)  # of the runs
            values = lines.ravel()[places]
            lengths = np.diff(np.append(places, lines.size))
            areas = np.flatnonzero(lengths >= AREA)
            first, second = areas[:-1], areas[1:]
            low, high = (f(values[first], values[second]) for f in (np.minimum, np.maximum))
            borders = (places[first] // width == places[second] // width) & (low != high)
            borders &= second - first <= FAR + 1
            if labels.ndim == 2:
                # high - low may overflow the type.
                borders &= (high > low + (APART - 1)) | (low + (APART - 1) < low)
            first, gaps = first[borders], (second - first - 1)[borders]
            found.pixels += lines.size
            found.in_areas += int(lengths[areas].sum())
            found.borders += len(gaps)
            found.sharp += np.count_nonzero(gaps == 0)
            within = np.arange(gaps.sum()) - np.repeat(np.cumsum(gaps) - gaps, gaps)
            others.append(values[np.repeat(first + 1, gaps) + within])
        times = np.unique(np.concatenate(others), return_counts=True)[1]
        found.between, found.most_frequent = int(times.sum()), int(times.max(initial=0))
        return found

    @property
    def _tell(self):
        return self.borders >= FEWEST_BORDERS and self.in_areas > IN_AREAS * self.pixels

    @property
    def are_smooth(self) -> bool:
        """Whether few borders are sharp, with many different labels between areas."""
        many = self.most_frequent < DRAWN * self.between
        return self._tell and many and self.sharp < SMOOTH * self.borders

    @property
    def are_rough(self) -> bool:
        """Whether few borders are sharp: after smoothing, or with lines drawn around everything."""
        return self._tell and self.sharp < ROUGH * self.borders
