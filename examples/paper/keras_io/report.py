"""The tables and the curves of a comparison."""

import matplotlib
import numpy as np

from examples.paper.table import grid

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SHOWN = ("calibrated", "moving", "batch")


def data_line(source):
    """The origin of the painted label maps, as text.

    Args:
        source: the `datasets.Source` of the held-out data.
    """
    arguments = source.call.arguments
    names = [name for name in ("split", "validation_split", "subset") if arguments.get(name)]
    parts = [source.title or "drawn scenes", *(f"{name} {arguments[name]}" for name in names)]
    void = "void painted as a class" if source.void_class else "no void"
    return ", ".join([*parts, source.resampling, void])


def cells(rows, number):
    """Mean, minimum and maximum over the seeds, by (run, variant) and then by time."""
    found = {}
    for row in rows:
        key = (row["run"], row["variant"])
        found.setdefault(key, {}).setdefault(row["time"], {})[row["seed"]] = row[number]
    return {
        key: {
            time: (np.mean([*seeds.values()]), min(seeds.values()), max(seeds.values()), len(seeds))
            for time, seeds in times.items()
        }
        for key, times in found.items()
    }


def table(rows, number="frechet"):
    """Markdown: a line for each run and variant, a column for each time.

    A cell holds the mean over the seeds, with minimum and maximum if there are several.
    """
    found = cells(rows, number)
    times = sorted({time for column in found.values() for time in column})
    lines = []
    for (run, variant), column in found.items():
        texts = [
            "" if time not in column else
            f"{column[time][0]:.3g}" if column[time][3] == 1 else
            "{:.3g} ({:.3g} to {:.3g})".format(*column[time][:3])
            for time in times
        ]  # fmt: skip
        seeds = max(cell[3] for cell in column.values())
        lines.append([run, variant, seeds, *texts])
    columns = ["run", "statistics and weights", "seeds", *(f"{time:g} s" for time in times)]
    return "\n".join(grid(columns, lines))


def speeds(rows):
    """Markdown: images per second of processor time, and the weights of the generators."""
    lines = []
    for run in dict.fromkeys(row["run"] for row in rows):
        mine = [row for row in rows if row["run"] == run]
        speed = np.mean([row["images"] / row["seconds"] for row in mine])
        lines.append([run, f"{speed:.2f}", f"{mine[-1]['parameters']:,}"])
    columns = ["run", "images a second of processor time", "weights of the generator"]
    return "\n".join(grid(columns, lines))


def agreement(rows, load_pictures, metric, labels, photographs):
    """Markdown: mean IoU, and accuracy, of a segmenter on the kept pictures of all seeds.

    Args:
        rows: measurements.
        load_pictures: returns the pictures of a run and a time, by variant.
        metric: a `metrics.SegmentationConsistency`.
        labels: the label maps of the pictures.
        photographs: their photographs, for the first line.
    """

    def score(sets):
        metric.reset_state()
        for pictures in sets:
            metric.update_state(labels, pictures)
        found = {name: float(value) for name, value in metric.result().items()}
        return f"{found['mean_iou']:.3f} ({found['pixel_accuracy']:.3f})" if sets else ""

    times = sorted({row["time"] for row in rows})
    lines = [["photographs", "", "", *[score([photographs])] * len(times)]]
    for run, variant in dict.fromkeys((row["run"], row["variant"]) for row in rows):
        mine = [row for row in rows if (row["run"], row["variant"]) == (run, variant)]
        kept = {
            time: [
                load_pictures(f"{run}-{row['seed']}", time)[variant]
                for row in mine
                if row["time"] == time
            ]
            for time in times
        }
        lines.append([run, variant, max(map(len, kept.values())), *map(score, kept.values())])
    columns = ["run", "statistics and weights", "seeds", *(f"{time:g} s" for time in times)]
    return "\n".join(grid(columns, lines))


def draw_curves(rows, path, real):
    """Plots the Frechet distance over processor time: means, and bands from minimum to maximum.

    Args:
        rows: measurements.
        path: of the PNG.
        real: the distance of real photographs among themselves.
    """
    figure, axis = plt.subplots(figsize=(9, 5.5))
    for (run, variant), column in cells(rows, "frechet").items():
        times = sorted(column)
        mean, low, high, _ = np.array([column[time] for time in times]).T
        style = {"linestyle": "-" if run.startswith("ours") else "--", "marker": "."}
        (line,) = axis.plot(times, mean, label=f"{run}: {variant}", **style)
        axis.fill_between(times, low, high, color=line.get_color(), alpha=0.15)
    axis.axhline(real, color="black", linewidth=0.8, label="real photographs among themselves")
    axis.set_xlabel("processor time of training, seconds")
    axis.set_ylabel("Frechet distance")
    axis.set_ylim(bottom=0)
    axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def shown(pictures):
    """The name and the pictures of the most relevant variant."""
    variant = next(name for name in SHOWN if name in pictures)
    return variant, pictures[variant]
