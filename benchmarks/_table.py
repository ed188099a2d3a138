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
    return markdown(head, rows)


def rate_table(rates, baseline, unit, digits=0):
    """A table of numbers, and of their ratios to a baseline.

    Args:
        rates: dict name -> numbers, one a round, the rounds being those of all.
        baseline: one of the names.
        unit: of the numbers.
        digits: after the point.

    Returns:
        The table. Ratios are taken in each round, of runs that are neighbours in time.
    """
    rows = []
    for name, values in rates.items():
        ratios = [a / b for a, b in zip(values, rates[baseline], strict=True)]
        row = [*_median_and_range(values, digits, ""), *_median_and_range(ratios, 2, "")]
        rows.append([name, *row])
    head = ["variant", unit, "[min..max]", f"x {baseline}", "[min..max]"]
    return markdown(head, rows)


def memory_table(memory, baseline):
    """A table of the memory of variants.

    Args:
        memory: dict name -> dict of bytes: `"held"` before the first step, `"first_peak"`, `"kept"`
            after it, and `"later_peak"`, that of the steps after it.
        baseline: one of the names.

    Returns:
        The table. "Above held" is the highest peak, or that of the later steps, less what is held;
        "kept by the first" what the first step added to it, compiled graphs mostly.
    """

    def above(name):
        of = memory[name]
        later = of["later_peak"] - of["held"]
        return max(of["first_peak"] - of["held"], later), later

    rows = []
    for name, of in memory.items():
        highest, later = above(name)
        ratios = [f"{a / b:.2f}" for a, b in zip(above(name), above(baseline), strict=True)]
        row = [of["held"], of["held"] + highest, highest, of["kept"] - of["held"], later]
        held, peak, highest, kept, later = (f"{bytes_ / GIB:.3f} GiB" for bytes_ in row)
        rows.append([name, held, peak, highest, ratios[0], kept, later, ratios[1]])
    ratio = f"x that of {baseline}"
    head = ["variant", "held", "peak", "above held", ratio, "kept by the first step"]
    return markdown([*head, "later steps above held", ratio], rows)


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


def markdown(head, rows):
    """A table of cells, the first column to the left."""
    rules = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rules, *rows))
