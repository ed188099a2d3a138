"""Whether a label map went through interpolation or lossy compression, which change its ids."""

from dataclasses import dataclass

import numpy as np

from keras_spade.datasets.label_mapping import color_codes

# Between the same two ids, a border of a map as drawn goes over no third one, or always the same
# (a class of its own, such as the rim of a cell). Interpolation and JPEG make many different ones:
# at 3 % of the borders and more, mostly; as drawn, at 0.2 %, in maps of 24 x 24 pixels at 2.5 %.
STEPS, VARIED, BY_CHANCE = 0.08, 0.03, 5
# Borders right beside the next: up to 22 % in maps as drawn, of JPEG and thin lines half and more.
ROUGH = 0.4
FEWEST_BORDERS = 100
# What is borders almost everywhere is noise, in which all this means nothing.
NOISE = 0.7
LINES = 64


def refuse_smooth(file, labels):
    """A ValueError that names the file if its ids (H, W), or colours (H, W, 3), are smooth."""
    if not Borders.of(labels).are_smooth:
        return
    kind, way_out = "colours", ""
    if labels.ndim == 2:
        kind = "ids"
        way_out = (
            ". If the steps are meant (levels of a height, say), allow_smooth_labels=True reads it"
        )
    raise ValueError(
        f"{file}: its {kind} go over borders in steps, as in label maps that were resized with "
        f"smoothing or saved as JPEG once, which makes {kind} that belong to neither class; "
        f"resize label maps with nearest neighbours{way_out}"
    )


@dataclass
class Borders:
    """Counts over some rows and columns of a label map, in which smoothing shows as in all."""

    pixels: int = 0
    borders: int = 0  # a pixel is of another label than the one before
    beside: int = 0  # of these, that is of another than the next one too
    steps: int = 0  # of these, that lies between the two
    varied: int = 0  # of these, that is not the most frequent one between the two

    @classmethod
    def of(cls, labels):
        """Counts borders in ids (H, W), or colours (H, W, 3)."""
        found, ends, between = cls(), [], []
        colored = labels.ndim == 3
        for lines in (labels, labels.swapaxes(0, 1)):
            lines = lines[:: max(1, len(lines) // LINES)]
            changes = lines[:, :-2] != lines[:, 1:-1]
            if colored:
                changes = changes.any(-1)
            before, here, after = (
                part[changes] for part in (lines[:, :-2], lines[:, 1:-1], lines[:, 2:])
            )
            beside = here != after
            inside = (np.minimum(before, after) <= here) & (here <= np.maximum(before, after))
            if colored:
                beside, inside = beside.any(-1), inside.all(-1)
            steps = beside & inside
            found.pixels += changes.size
            found.borders += len(here)
            found.beside += np.count_nonzero(beside)
            found.steps += np.count_nonzero(steps)
            before, here, after = before[steps], here[steps], after[steps]
            if colored:
                before, here, after = map(color_codes, (before, here, after))
            ends.append(np.sort(np.stack([before, after], -1), -1))
            between.append(here)
        if found.steps:
            kinds, places = np.unique(np.concatenate(ends), axis=0, return_inverse=True)
            middle = np.unique(np.concatenate(between), return_inverse=True)[1]
            triples = np.stack([places.ravel(), middle.ravel()], -1)
            triples, times = np.unique(triples, axis=0, return_counts=True)
            most = np.zeros(len(kinds), times.dtype)
            np.maximum.at(most, triples[:, 0], times)
            found.varied = found.steps - int(most.sum())
        return found

    @property
    def are_smooth(self):
        """Whether ids go over borders by ids between, colours by colours between."""
        enough = FEWEST_BORDERS <= self.borders < NOISE * self.pixels
        varied = self.varied > VARIED * self.borders + BY_CHANCE
        return enough and varied and self.steps > STEPS * self.borders

    @property
    def are_rough(self):
        """Whether there are as many borders beside one another as thin lines have, or JPEG."""
        enough = FEWEST_BORDERS <= self.borders < NOISE * self.pixels
        return enough and self.beside > ROUGH * self.borders
