"""From the records of `gpu.py` to one Markdown table, and what is to be said beside it."""

from _table import GIB, markdown

HEAD = ("task", "precision", "subject", "batch", "median", "[10..90 %]", "images / s")
TERA = 1e12


def percentiles(values):
    """The median of some numbers, and their percentiles 10 and 90, between neighbours linear."""

    def at(share):
        place = share * (len(values) - 1)
        low = int(place)
        high = min(low + 1, len(values) - 1)
        return values[low] + (place - low) * (values[high] - values[low])

    values = sorted(values)
    return [at(0.5), at(0.1), at(0.9)]


def device_table(records, baseline, flops):
    """The table.

    Args:
        records: a `Records`.
        baseline: the subject that ratios refer to.
        flops: dict task -> floating point operations a sample.

    Returns:
        The table; of each subject the most images a second are bold.
    """
    peaks, best = matrix_peaks(records.rates), _best(records.rows)
    lines = []
    for row in records.rows:
        cells = [row["task"], row["precision"], row["subject"], str(row["batch"])]
        if "why" in row:
            lines.append([*cells, row["why"], *[""] * 6])
            continue
        images = f"{row['batch'] / row['seconds'][0]:.4g}"
        median, spread = _cells(row["seconds"], ".4f", " s")
        share = ""
        if row["precision"] in peaks:
            rate = flops[row["task"]] * row["batch"] / row["seconds"][0]
            share = f"{100 * rate / peaks[row['precision']]:.1f} %"
        ratio = " ".join(_cells(row["ratio"], ".2f", "")) if row.get("ratio") else ""
        images = f"**{images}**" if row is best[_key(row)] else images
        memory = f"{row['peak'] / GIB:.2f} GiB"
        first = f"{row['first']:.3g} s"
        lines.append([*cells, median, spread, images, memory, share, ratio, first])
    more = (
        "peak memory",
        "of the matrix peak",
        f"times as fast as {baseline} [10..90 %]",
        "first step",
    )
    return markdown([*HEAD, *more], lines)


def matrix_peaks(rates):
    """Dict precision -> the highest rate of a matrix product that any library reached."""
    peaks = {}
    for rate in rates:
        peaks[rate["precision"]] = max(rate["matrix"], peaks.get(rate["precision"], 0))
    return peaks


def device_notes(records, flops):
    """Lines of what the table rests on: devices, versions, matrix products, operations."""
    seen = {}
    for rate in records.rates:
        seen[rate["backend"]] = f"{rate['backend']} on {rate['device']}", rate["versions"]
    for device, versions in seen.values():
        yield f"{device}: {', '.join(f'{name} {version}' for name, version in versions.items())}"
    highest = {}
    for rate in records.rates:
        key = rate["precision"], rate["backend"]
        highest[key] = max(rate["matrix"], highest.get(key, 0))
    for precision in dict.fromkeys(precision for precision, _ in highest):
        rates = [f"{b} {r / TERA:.3g}" for (p, b), r in highest.items() if p == precision]
        yield f"matrix product, {precision}, TFLOP/s, highest of the run: {', '.join(rates)}"
    counted = [f"{task} {number / 1e9:.4g}" for task, number in flops.items()]
    yield (
        f"GFLOP a sample of the plain, dense model: {', '.join(counted)}. The share of the matrix "
        "peak is of these operations for every subject: with patterns fewer are made, so theirs is "
        "an effective share, which may exceed 100 %."
    )


def _cells(three, digits, unit):
    median, low, high = three
    return f"{median:{digits}}{unit}", f"[{low:{digits}}..{high:{digits}}]"


def _key(row):
    return row["task"], row["precision"], row["subject"]


def _best(rows):
    """Of each subject, the row of the most images a second."""
    best = {}
    for row in rows:
        if "why" in row:
            continue
        other = best.setdefault(_key(row), row)
        if row["batch"] / row["seconds"][0] > other["batch"] / other["seconds"][0]:
            best[_key(row)] = row
    return best
