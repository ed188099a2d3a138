"""One table of the paper: rows that are trained, scored and painted side by side."""

import dataclasses
import pathlib
import re
import warnings
from collections.abc import Callable

import keras
import numpy as np
from PIL import Image

from examples import _data_options
from examples.paper import options
from examples.paper.options import FLAGS
from examples.paper.perceptual import perceptual_options
from examples.paper.results import Results
from examples.paper.samples import Samples
from examples.paper.segmenter import check_image_size, consistency, load_or_train
from examples.paper.side_by_side import side_by_side
from examples.paper.table import markdown, mean_and_deviation
from examples.paper.time_limit import TimeLimit
from examples.paper.variants import Variant
from keras_spade import files, metrics

COLUMNS = {
    "mean_iou": "mIoU",
    "pixel_accuracy": "accuracy",
    "frechet_distance": "Frechet distance",
    "kernel_distance": "kernel distance",
}
REAL = "real photographs"


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A table of the paper.

    Args:
        name: of its files.
        title: of the printed table.
        rows: the variants to train.
    """

    name: str
    title: str
    rows: tuple[Variant, ...]

    def main(self, argv):
        """Trains the rows that are not trained yet, and prints the table."""
        options.apply_quick()
        rows, seeds = chosen(self.rows), options.seeds()
        run_dir = pathlib.Path(FLAGS.run_dir)
        check_image_size(*_data_options.numbers("image_size"))
        perceptual = perceptual_options(FLAGS.vgg16, FLAGS.perceptual_weight)
        data = options.data_settings()
        settings = options.settings(perceptual["perceptual_weight"], data)
        results = Results(run_dir / "results.jsonl", settings)
        samples = Samples.load()
        run_dir.mkdir(parents=True, exist_ok=True)
        judge = Judge.make(samples, run_dir, perceptual, data)
        add_real(results, judge)
        write_pictures(run_dir / "painted" / "labels", samples.labels.astype("uint16"))
        for seed in seeds:
            for variant in rows:
                if results.find(variant.row, variant.definition, seed) is None:
                    print(f"Training {variant.row!r}, seed {seed}.", flush=True)
                    results.add(**train(variant, seed, judge, run_dir))
        text = self.table(rows, results, judge)
        with files.replacing(run_dir / f"{self.name}.md") as partial:
            partial.write_text(text)
        columns = {"real": samples.images}
        columns |= {v.row: read_pictures(folder_of(run_dir, v, seeds[0])) for v in rows}
        side_by_side(samples.labels, columns, samples.palette, FLAGS.pictures).save(
            run_dir / f"{self.name}.png"
        )
        print(text)
        print(f"The same maps painted by all: {run_dir / self.name}.png")

    def table(self, rows, results, judge):
        """Returns the table as text."""
        records = results.all()
        lines = [cells(REAL, [r for r in records if r["row"] == REAL])]
        for variant in rows:
            lines.append(
                cells(
                    variant.row,
                    [
                        record
                        for record in records
                        if record["row"] == variant.row and record["seed"] in options.seeds()
                    ],
                )
            )
        columns = [*COLUMNS.values(), "weights (million)", "steps", "images a second", "seeds"]
        limit = f", at most {FLAGS.steps} steps" if FLAGS.steps else ""
        statistics = f"of {FLAGS.calibrate} batches" if FLAGS.calibrate else "moving averages"
        notes = [
            judge.samples.protocol,
            f"{FLAGS.minutes:g} minutes ({FLAGS.clock}) each after the first step{limit}; batch "
            f"{FLAGS.batch_size}; learning rates {FLAGS.rate:g} and {FLAGS.discriminator_rate:g}; "
            f"perceptual weight {judge.perceptual['perceptual_weight']:g}; statistics of batch "
            f"norms: {statistics}; {keras.config.backend()}; mean and deviation over seeds",
            f"features: {judge.features_name}: not the FID of the literature",
            "real photographs: the segmenter's mIoU and accuracy on the validation photographs, "
            "and their distances from the same number of training photographs",
        ]
        return markdown(self.title, ["", *columns], lines, notes)


def chosen(rows):
    """The rows selected by --only."""
    names = [variant.row for variant in rows]
    unknown = [name for name in FLAGS.only if name not in names]
    if unknown:
        raise ValueError(f"--only={','.join(FLAGS.only)}: no row {unknown[0]!r}; rows: {names}.")
    return [variant for variant in rows if not FLAGS.only or variant.row in FLAGS.only]


def cells(row, records):
    """A line of the table."""
    scores = [
        mean_and_deviation([record["scores"][column] for record in records]) for column in COLUMNS
    ]
    if row == REAL:
        return [row, *scores, "", "", "", ""]
    steps = mean_and_deviation([record["steps"] for record in records], ".0f")
    speed = mean_and_deviation([record["images_per_second"] for record in records], ".1f")
    weights = records[0]["weights"] / 1e6 if records else float("nan")
    return [row, *scores, f"{weights:.2f}", steps, speed, len(records)]


@dataclasses.dataclass(frozen=True)
class Judge:
    """Evaluates pictures.

    Args:
        samples: the samples whose validation maps were painted.
        segmenter: trained on the photographs of training.
        features: of the distances.
        features_name: their name in the table.
        perceptual: the perceptual loss for training generators, see `perceptual_options`.
    """

    samples: Samples
    segmenter: keras.Model
    features: Callable
    features_name: str
    perceptual: dict

    @classmethod
    def make(cls, samples, run_dir, perceptual, data):
        """Makes the judge for the flags; `data` is the result of `options.data_settings`."""
        segmenter = load_or_train(samples, run_dir, data)
        if FLAGS.vgg16:
            features = metrics.VGG16Features(FLAGS.vgg16)
            return cls(samples, segmenter, features, "VGG16, relu5_3, means over space", perceptual)
        mean = keras.layers.GlobalAveragePooling2D()(segmenter.get_layer("lowest").output)
        features = keras.Model(segmenter.input, mean)
        name = "the segmenter's lowest, means over space"
        return cls(samples, segmenter, features, name, perceptual)

    def scores(self, pictures, others=None):
        """The columns of the table.

        Args:
            pictures: uint8, one per validation map.
            others: the reference of distances; `None`: the validation photographs.
        """
        others = self.samples.images if others is None else others
        found = consistency(self.segmenter, self.samples, pictures)
        for metric in (metrics.FrechetDistance, metrics.KernelDistance):
            metric = metric(self.features)
            for part in self.samples.parts():
                metric.update_state(others[part], pictures[part])
            found[metric.name] = float(metric.result())
        return found


def add_real(results, judge):
    """Adds the row of real photographs."""
    if results.find(REAL, {}, None) is None:
        samples = judge.samples
        scores = judge.scores(samples.images, others=samples.training_images)
        results.add(row=REAL, definition={}, seed=None, scores=scores)


def train(variant, seed, judge, run_dir):
    """Trains one row, keeps model and pictures, and returns the record."""
    samples = judge.samples
    gan = variant.compiled(samples.conditioning, samples.image_shape, judge.perceptual, seed)
    clock = TimeLimit(FLAGS.minutes, FLAGS.steps, options.clock())
    history = gan.fit(samples.training, epochs=10**6, callbacks=[clock], verbose=0)
    if FLAGS.calibrate:
        with warnings.catch_warnings():  # Of networks without batch norms.
            warnings.filterwarnings("ignore", "`calibrate` has nothing to do")
            gan.calibrate(samples.training, FLAGS.calibrate, seed=seed, verbose=0)
    pictures = np.concatenate(
        [
            gan.generate(
                samples.labels[part],
                None if samples.instances is None else samples.instances[part],
                seed=seed,
            )
            for part in samples.parts()
        ]
    )
    folder = folder_of(run_dir, variant, seed)
    write_pictures(folder, pictures)
    gan.save(folder / "gan.keras")
    return {
        "row": variant.row,
        "definition": variant.definition,
        "seed": seed,
        "scores": judge.scores(pictures),
        "weights": sum(int(np.prod(w.shape)) for w in gan.generator.trainable_weights),
        "steps": clock.done,
        "seconds": clock.seconds,
        "first_step": clock.first_step,
        "images_per_second": (clock.done - 1) * FLAGS.batch_size / max(clock.seconds, 1e-9),
        "losses": {name: values[-1] for name, values in history.history.items()},
    }


def folder_of(run_dir, variant, seed):
    """The folder for model and pictures of a training."""
    name = re.sub(r"[^a-z0-9+]+", "_", variant.row.lower()).strip("_")
    return run_dir / "painted" / f"{name}_seed_{seed}"


def write_pictures(folder, pictures):
    """Writes PNGs, numbered like the validation maps."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number:04d}.png")


def read_pictures(folder):
    """The PNGs of a folder as one array."""
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])
