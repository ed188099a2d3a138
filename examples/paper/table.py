"""A table of results in Markdown."""

import math
import statistics


def mean_and_deviation(values, form=".4g"):
    """`mean` of one number, `mean ± deviation` (of n - 1) of more, for a cell."""
    values = [float(value) for value in values]
    if not values or any(math.isnan(value) for value in values):
        return "-"
    text = f"{statistics.mean(values):{form}}"
    return f"{text} ± {statistics.stdev(values):{form}}" if len(values) > 1 else text


def markdown(title, columns, rows, notes):
    """A table.

    Args:
        title: above it.
        columns: names, that of the rows first.
        rows: lists of cells.
        notes: lines below it.
    """
    lines = [f"**{title}**", "", *grid(columns, rows), "", *(f"- {note}" for note in notes)]
    return "\n".join(lines) + "\n"


def grid(columns, rows):
    """The lines of a table, without title and notes."""
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return lines + [f"| {' | '.join(map(str, row))} |" for row in rows]
