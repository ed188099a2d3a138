"""From measurements to Markdown tables."""

from statistics import median

GIB = 2**30


def time_table(seconds, baseline):
    """A table of times, and of their ratios to a baseline.

    Args:
        seconds: dict name -> seconds, one a round, the rounds being those of all.
        baseline: one of the names.

    Returns:
        The table. Ratios are taken in each round, of runs that are neighbours in time.
    """
    rows = []
    for name, times in seconds.items():
        ratios = [a / b for a, b in zip(times, seconds[baseline], strict=True)]
        rows.append([name, *_median_and_range(times, 3, " s"), *_median_and_range(ratios, 2, "")])
    head = ["variant", "median", "[min..max]", f"x the time of {baseline}", "[min..max]"]
    return _markdown(head, rows)


def memory_table(memory, baseline):
    """A table of the memory of variants.

    Args:
        memory: dict name -> dict of bytes: `"held"` before the first step, `"peak"` of all steps,
            `"later_peak"` of all but the first.
        baseline: one of the names.

    Returns:
        The table. "Above" is the peak less what is held.
    """
    rows = []
    for name, bytes_ in memory.items():
        row = [name, f"{bytes_['held'] / GIB:.3f} GiB", f"{bytes_['peak'] / GIB:.3f} GiB"]
        for peak in ("peak", "later_peak"):
            above = bytes_[peak] - bytes_["held"]
            ratio = above / (memory[baseline][peak] - memory[baseline]["held"])
            row += [f"{above / GIB:.3f} GiB", f"{ratio:.2f}"]
        rows.append(row)
    ratio = f"x that of {baseline}"
    head = ["variant", "held", "peak", "above held", ratio, "above held, later steps", ratio]
    return _markdown(head, rows)


def shares_line(shares):
    """One line of dicts, one a batch, `(height, width)` -> share of distinct patterns."""
    parts = []
    for height, width in shares[0]:
        values = [100 * batch[height, width] for batch in shares]
        mean, low, high = sum(values) / len(values), min(values), max(values)
        parts.append(f"{height} x {width}: {mean:.1f} % [{low:.1f}..{high:.1f}]")
    return ", ".join(parts)


def _median_and_range(values, digits, unit):
    low, high = min(values), max(values)
    return f"{median(values):.{digits}f}{unit}", f"[{low:.{digits}f}..{high:.{digits}f}]"


def _markdown(head, rows):
    rules = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rules, *rows))
