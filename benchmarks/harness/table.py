"""Formatting rows as one Markdown table with notes."""

from benchmarks.harness.machine import GIB

DISTURBED = 0.05
TERA = 1e12


def percentiles(values):
    """The median of some numbers, and their 10th and 90th percentiles, linearly interpolated.

    `None` without numbers.
    """
    if not values:
        return None

    def at(share):
        place = share * (len(values) - 1)
        low = int(place)
        high = min(low + 1, len(values) - 1)
        return values[low] + (place - low) * (values[high] - values[low])

    values = sorted(values)
    return [at(0.5), at(0.1), at(0.9)]


def table(records, base):
    """The table.

    Args:
        records: `Records`.
        base: the name of the base of ratios.

    Returns:
        The table, without empty columns. For each subject, the case of a group with the most
        samples per second is bold.
    """
    peaks, best = matrix_peaks(records.rates), _best(records.rows)
    columns = list(dict.fromkeys(key for row in records.rows for key in row.columns))
    head = [*columns, "subject", "a step [10..90 %]", f"x the time of {base} [10..90 %]"]
    head += [f"time of {base} in the same rounds", "processor time", "x", "samples / s", "GFLOP/s"]
    head += ["of the matrix peak", "held", "above held", "x", "without the first step"]
    head += ["first step"]
    lines = []
    for row in records.rows:
        cells = [str(row.columns.get(key, "")) for key in columns]
        if row.why:
            lines.append([*cells, row.subject, row.why, *[""] * 12])
            continue
        median = row.seconds[0]
        samples = f"{row.samples / median:.4g}" if row.samples else ""
        peak = peaks.get(row.columns.get("precision", "float32"))
        share = f"{100 * row.flops / median / peak:.1f} %" if row.flops and peak else ""
        cells += [
            row.subject,
            seconds_cell(row.seconds),
            ratio_cell(row.ratio) or row.base_why,
            seconds_cell(row.base),
            seconds_cell(row.processor),
            ratio_cell(row.processor_ratio),
            f"**{samples}**" if row in best else samples,
            f"{row.flops / median / 1e9:.3g}" if row.flops else "",
            share,
            _gib(row.held),
            _gib(row.above),
            "" if row.above_ratio is None else f"{row.above_ratio:.2f}",
            _gib(row.later),
            f"{row.first:.3g} s",
        ]
        lines.append(cells)
    return without_empty_columns(head, lines)


def notes(records):
    """Notes on devices, versions, matrix products and other processes."""
    devices = {}
    for rate in records.rates:
        device = f"{rate.backend} on {rate.device}"
        devices[device] = devices.get(device, {}) | rate.versions
    for device, versions in devices.items():
        yield f"{device}: {', '.join(f'{name} {version}' for name, version in versions.items())}"
    highest = {}
    for rate in records.rates:
        key = rate.precision, rate.backend
        highest[key] = max(rate.flops, highest.get(key, 0))
    for precision in dict.fromkeys(precision for precision, _ in highest):
        rates = [f"{b} {r / TERA:.3g}" for (p, b), r in highest.items() if p == precision]
        yield f"matrix product, {precision}, TFLOP/s, highest of the run: {', '.join(rates)}"
    yield from dict.fromkeys(f"{row.subject}: {row.note}" for row in records.rows if row.note)
    measured = [row for row in records.rows if not row.why]
    if measured:
        worst = max(measured, key=lambda row: row.others)
        again = " MEASURE AGAIN: threads that wait for each other lose many times that."
        yield (
            f"taken by other processes during a turn: at most {worst.others:.0%} of the machine "
            f"({worst.subject}).{again * (worst.others > DISTURBED)}"
        )


def matrix_peaks(rates):
    """A dict of precisions to the highest matrix product rate of any library."""
    peaks = {}
    for rate in rates:
        peaks[rate.precision] = max(rate.flops, peaks.get(rate.precision, 0))
    return peaks


def seconds_cell(three):
    """Median and percentiles of times, in a unit suited to the median."""
    if three is None:
        return ""
    scale, unit, digits = (1, "s", 3) if three[0] >= 1 else (1000, "ms", 1)
    median, low, high = (f"{scale * value:.{digits}f}" for value in three)
    return f"{median} {unit} [{low}..{high}]"


def ratio_cell(three):
    """Median and percentiles of ratios, with an additional digit near 1."""
    if three is None:
        return ""
    digits = 3 if 0.9 < three[0] < 1.1 else 2
    median, low, high = (f"{value:.{digits}f}" for value in three)
    return f"{median} [{low}..{high}]"


def markdown(head, rows):
    """A table of cells."""
    rules = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rules, *rows))


def without_empty_columns(head, rows):
    """A table of cells, without columns that are empty in every row."""
    keep = [index for index in range(len(head)) if any(row[index] for row in rows)]
    head, *rows = ([cells[index] for index in keep] for cells in (head, *rows))
    return markdown(head, rows)


def _gib(number):
    return "" if number is None else f"{number / GIB:.3f} GiB"


def _best(rows):
    """The row with the most samples per second of each subject and group, if there are several."""
    groups = {}
    for row in rows:
        if not row.why and row.samples:
            group = {key: row.columns[key] for key in row.columns if key != "batch"}
            groups.setdefault((row.subject, str(group)), []).append(row)
    fastest = (max(g, key=lambda r: r.samples / r.seconds[0]) for g in groups.values() if g[1:])
    return list(fastest)
