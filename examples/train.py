"""Trains a GauGAN, on the built-in drawn scenes or on folders of photographs and label maps.

    python examples/train.py                                  # drawn scenes, a few minutes
    python examples/train.py --data=street --num_classes=11   # street/images, street/labels

Writes into --run_dir: pictures after every epoch (label map | generated | real), losses.csv and
losses.png, the flags, and the model, gan.keras. The pictures are of unseen label maps: drawn ones,
or those of --validation_data; without it, of the training data.
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib
import numpy as np
from absl import app, flags

import keras_spade
from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FLAGS = flags.FLAGS

flags.DEFINE_string("data", "scenes", "'scenes' (drawn), or a folder with images/ and labels/.")
flags.DEFINE_string("validation_data", None, "A folder like --data, for pictures and losses.")
flags.DEFINE_string("run_dir", "runs/scenes", "Where pictures, losses and the model go.")
flags.DEFINE_integer("num_classes", None, "Label classes, void not counted; drawn scenes know.")
flags.DEFINE_integer("void_label", 255, "The id in the label files of 'don't care'; below 0: none.")
flags.DEFINE_bool("void_class", False, "Whether void pixels are a class of their own.")
flags.DEFINE_bool("instance_edges", False, "Whether instances/ become an edge channel.")
flags.DEFINE_list("image_size", ["64", "64"], "height,width of the images the networks see.")
flags.DEFINE_list("load_size", None, "With folders: height,width before the random crop.")
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


def main(argv):
    """Trains."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    keras.utils.set_random_seed(FLAGS.seed)
    training, validation, num_classes, palette = datasets()
    gan = model(num_classes)
    os.makedirs(FLAGS.run_dir, exist_ok=True)
    callbacks = [
        keras_spade.callbacks.LinearDecay(),
        keras_spade.callbacks.ImageGrid(
            spread_samples(validation, FLAGS.pictures), FLAGS.run_dir, palette, use_style=True
        ),
        keras.callbacks.CSVLogger(os.path.join(FLAGS.run_dir, "losses.csv")),
        keras.callbacks.ModelCheckpoint(os.path.join(FLAGS.run_dir, "gan.keras")),
    ]
    with open(os.path.join(FLAGS.run_dir, "flags.json"), "w") as file:
        json.dump(
            {flag.name: flag.value for flag in FLAGS.get_key_flags_for_module(sys.argv[0])}, file
        )
    unseen = validation if FLAGS.data == "scenes" or FLAGS.validation_data else None
    history = gan.fit(training, epochs=FLAGS.epochs, validation_data=unseen, callbacks=callbacks)
    plot_losses(history.history, os.path.join(FLAGS.run_dir, "losses.png"))
    print(f"Pictures, losses and the model are in {FLAGS.run_dir}.")


def datasets():
    """Training and validation batches, the number of classes, and the colours of the labels."""
    size = tuple(int(n) for n in FLAGS.image_size)
    if FLAGS.data == "scenes":
        scenes = {"image_size": size, "batch_size": FLAGS.batch_size, "seed": FLAGS.seed}
        training = keras_spade.datasets.synthetic_scenes(FLAGS.num_scenes, **scenes)
        validation = keras_spade.datasets.synthetic_scenes(
            32, first_scene=1_000_000, shuffle=False, drop_remainder=False, **scenes
        )
        classes = len(keras_spade.datasets.SCENE_CLASSES)
        return training, validation, classes, keras_spade.datasets.SCENE_PALETTE
    if FLAGS.num_classes is None:
        raise app.UsageError("--num_classes is needed with --data.")
    folders = {
        "num_classes": FLAGS.num_classes,
        "image_size": size,
        "batch_size": FLAGS.batch_size,
        "void_label": FLAGS.void_label if FLAGS.void_label >= 0 else None,
        "void_class": FLAGS.void_class,
        "instances": FLAGS.instance_edges,
        "load_size": None if FLAGS.load_size is None else tuple(int(n) for n in FLAGS.load_size),
        "seed": FLAGS.seed,
    }
    training = keras_spade.datasets.paired_folders(
        FLAGS.data, flip=FLAGS.flip, drop_remainder=True, **folders
    )
    validation = keras_spade.datasets.paired_folders(
        FLAGS.validation_data or FLAGS.data, crop="center", shuffle=False, **folders
    )
    return training, validation, FLAGS.num_classes, None


def model(num_classes):
    """A compiled GauGAN of the size the flags ask for."""
    shape = (*(int(n) for n in FLAGS.image_size), 3)
    conditioning = {
        "num_classes": num_classes,
        "image_shape": shape,
        "void_class": FLAGS.void_class and FLAGS.data != "scenes",
        "instance_edges": FLAGS.instance_edges,
    }
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
    gan.compile(perceptual_loss=perceptual, perceptual_weight=FLAGS.perceptual_weight)
    return gan


def spread_samples(dataset, count):
    """Samples spread over a dataset, as one batch of arrays."""
    step = max(1, len(dataset) * FLAGS.batch_size // count)
    samples = list(dataset.unbatch().shard(step, 0).take(count).as_numpy_iterator())
    return {key: np.stack([sample[key] for sample in samples]) for key in samples[0]}


def plot_losses(history, path):
    """Draws every loss over the epochs, training and validation."""
    names = [name for name in history if not name.startswith("val_")]
    figure, axes = plt.subplots(1, len(names), figsize=(3.2 * len(names), 2.8), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        epochs = range(1, len(history[name]) + 1)
        axis.plot(epochs, history[name], label="training")
        if f"val_{name}" in history:
            axis.plot(epochs, history[f"val_{name}"], label="validation")
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("epoch")
    axes[0, 0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    app.run(main)
