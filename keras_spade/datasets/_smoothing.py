"""Whether a label map went through interpolation or lossy compression, which change its ids."""

import numpy as np

# Of the borders in label maps as drawn, up to 3 % go over in a step between the two ids, in those
# made four times smaller up to 7 %; in interpolated or JPEG-compressed ones mostly 20 % and more.
SMOOTH = 0.15
FEWEST_BORDERS = 100
# In maps that are borders almost everywhere, noise, a third of these is such a step by chance.
NOISE = 0.7
LINES = 64


def refuse_smooth(file, labels):
    """A ValueError that names the file if its ids (H, W), or colours (H, W, 3), are smooth."""
    if not is_smooth(labels):
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


def is_smooth(labels):
    """Whether labels go over borders in steps: ids by ids between, colours by colours between.

    Looks at some rows and columns, in which interpolation shows as in all.

    Args:
        labels: integers (H, W), or colours (H, W, 3).
    """
    steps = borders = pixels = 0
    for lines in (labels, labels.swapaxes(0, 1)):
        lines = lines[:: max(1, len(lines) // LINES)]
        before, here, after = lines[:, :-2], lines[:, 1:-1], lines[:, 2:]
        changes = before != here
        if labels.ndim == 3:
            changes = changes.any(-1)
        before, here, after = before[changes], here[changes], after[changes]
        other = here != after
        between = (np.minimum(before, after) <= here) & (here <= np.maximum(before, after))
        if labels.ndim == 3:
            other, between = other.any(-1), between.all(-1)
        steps += np.count_nonzero(other & between)
        borders += len(here)
        pixels += changes.size
    return FEWEST_BORDERS <= borders < NOISE * pixels and steps > SMOOTH * borders
