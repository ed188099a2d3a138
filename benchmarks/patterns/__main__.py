"""Measures when label patterns help, and where time is spent.

    python -m benchmarks.patterns --study=crossover
    python -m benchmarks.patterns --study=cost_model --data=coco_stuff:<dir>
    python -m benchmarks.patterns --study=table_fits --data=coco_stuff:<dir>

The modules of the same names explain the studies. The first two run single layers, compiled
by TensorFlow, in turns; the third counts. To measure whole networks with patterns and densely on
every backend, use `python -m benchmarks.networks`.
"""

from dataclasses import asdict

from absl import app, flags

from benchmarks.harness import command, label_flags
from benchmarks.harness.label_maps import pick_batch
from benchmarks.harness.plan import Group
from benchmarks.patterns import cost_model, crossover, table_fits

FLAGS = flags.FLAGS
flags.DEFINE_enum("study", "crossover", ["crossover", "cost_model", "table_fits"], "Which.")
flags.DEFINE_list("classes", ["6", "36", "184"], "Crossover: numbers of classes.")
flags.DEFINE_bool("backward", False, "Crossover: forward and backward; by default, forward only.")
flags.DEFINE_integer("batch_size", 1, "Others: label maps per batch.", lower_bound=1)

QUICK = {"classes": ["6"], "height": 64, "width": 64, "base_filters": 4, "cores": 1, "rounds": 2}
QUICK |= {"turn_seconds": 0.05}


def main(argv):
    """Measures and prints."""
    command.start(argv, QUICK)
    if FLAGS.study == "crossover":
        return measure_crossover()
    maps = label_flags.load(FLAGS.rounds * FLAGS.batch_size)
    if FLAGS.study == "cost_model":
        return measure_cost_model(maps)
    batches = [pick_batch(maps.samples, index, FLAGS.batch_size) for index in range(FLAGS.rounds)]
    print(table_fits.fits_table(batches), end="\n\n")
    lines = [*command.machine_lines("patterns"), f"{FLAGS.rounds} batches of {FLAGS.batch_size}"]
    print("\n".join(f"- {line}" for line in lines))


def measure_crossover():
    """Measures both paths for different shares."""
    cases = tuple(crossover.cases(map(int, FLAGS.classes), FLAGS.quick))
    pass_ = "forward and backward" if FLAGS.backward else "forward"
    group = Group({"pass": pass_}, FLAGS.backward, cases)
    names = list(crossover.SUBJECTS)
    command.run(
        "patterns", [group], command.pairs(crossover.SUBJECTS, names), {"study": "crossover"}
    )


def measure_cost_model(maps):
    """The parts of the generator's blocks."""
    settings = cost_model.CostSettings(
        num_classes=maps.num_classes + maps.void_class,
        label_channels=maps.label_channels,
        batch_size=FLAGS.batch_size,
    )
    shape = (FLAGS.height, FLAGS.width)
    found = cost_model.cases(maps.samples, shape, settings, FLAGS.base_filters, FLAGS.rounds)
    group = Group({}, settings, tuple(found))
    pairs = command.pairs(cost_model.SUBJECTS, list(cost_model.SUBJECTS))
    header = [f"{maps.label_channels} label channels, batch {FLAGS.batch_size}, {FLAGS.data}"]
    about = {"study": "cost_model", "data": FLAGS.data, **asdict(settings)}
    command.run("patterns", [group], pairs, about, maps.samples, header, more_notes=cost_model.sums)


if __name__ == "__main__":
    app.run(main)
