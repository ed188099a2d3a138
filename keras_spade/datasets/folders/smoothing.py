"""Whether a label map went through interpolation or lossy compression, which change its ids."""

from dataclasses import dataclass

import numpy as np

from keras_spade.datasets.folders.label_mapping import color_codes

# An area begins where so many pixels in a row have one label; the next one begins after at most
# FAR short runs of others.
AREA, FAR = 4, 8
# Ids nearer to one another may have none between them that rounding could give.
APART = 3
# In maps as drawn half of the borders and more are sharp, of dense thin lines a quarter; after
# interpolation, or JPEG up to a quality of 95, mostly less than a tenth.
SMOOTH, ROUGH = 0.2, 0.3
# A label that makes most of what lies between areas is a line that was drawn around them.
DRAWN = 0.6
FEWEST_BORDERS = 50
# Of maps with fewer pixels in areas, nothing can be told.
IN_AREAS = 0.5
LINES = 64


def refuse_smooth(file, labels):
    """Returns the `Borders` of ids (H, W), or colours (H, W, 3).

    Raises:
        ValueError: if they are smooth; it names the file.
    """
    borders = Borders.of(labels)
    if not borders.are_smooth:
        return borders
    kind, way_out = "colours", ""
    if labels.ndim == 2:
        kind, way_out = "ids", "; if it was drawn so, allow_smooth_labels=True reads it"
    raise ValueError(
        f"{file}: hardly a border is sharp, other {kind} lie between its areas, as in label maps "
        f"that were resized with smoothing or saved as JPEG once, which makes {kind} that belong "
        f"to neither class. Resize label maps with nearest neighbours{way_out}"
    )


@dataclass
class Borders:
    """Counts over some rows and columns of a label map, in which smoothing shows as in all."""

    pixels: int = 0
    in_areas: int = 0  # pixels
    borders: int = 0  # between areas
    sharp: int = 0  # of these, without other labels between
    between: int = 0  # runs of other labels
    most_frequent: int = 0  # of these, of the most frequent label

    @classmethod
    def of(cls, labels):
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
                # Not high - low, which may be too large for the type.
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
    def are_smooth(self):
        """Whether hardly one is sharp, and what lies between is of many labels."""
        many = self.most_frequent < DRAWN * self.between
        return self._tell and many and self.sharp < SMOOTH * self.borders

    @property
    def are_rough(self):
        """Whether few are sharp: after smoothing, or with lines drawn around everything."""
        return self._tell and self.sharp < ROUGH * self.borders
