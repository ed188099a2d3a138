"""Paints a folder of label maps with a trained GauGAN.

    python examples/generate.py --model=runs/street/gan.keras --labels=street/labels --out=painted

Every label map (PNG, ids in one channel) becomes a PNG of the same name.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import keras
import numpy as np
from absl import app, flags
from PIL import Image

import keras_spade

FLAGS = flags.FLAGS

flags.DEFINE_string("model", None, "The model that train.py saved, gan.keras.", required=True)
flags.DEFINE_string("labels", None, "A folder of label maps, .png.", required=True)
flags.DEFINE_string("out", None, "Where the pictures go.", required=True)
flags.DEFINE_string("instances", None, "A folder of instance maps of the same names, if needed.")
flags.DEFINE_string("style", None, "A photograph whose style is taken, with an encoder.")
flags.DEFINE_integer("void_label", 255, "The id in the label files of 'don't care'; below 0: none.")
flags.DEFINE_integer("batch_size", 4, "Label maps painted at once.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Of the latents.")


def main(argv):
    """Paints."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    if not Path(FLAGS.labels).is_dir():
        raise app.UsageError(f"--labels={FLAGS.labels} is not a folder.")
    files = sorted(Path(FLAGS.labels).glob("*.png"))
    if not files:
        raise app.UsageError(f"--labels={FLAGS.labels} holds no .png files.")
    gan = keras.models.load_model(FLAGS.model, compile=False)
    style = None
    if FLAGS.style:
        style = np.asarray(Image.open(FLAGS.style).convert("RGB"))[None]
    latents = None
    if gan.generator.latent_dim is not None and style is None:
        rng = np.random.default_rng(FLAGS.seed)
        latents = rng.normal(size=(len(files), gan.generator.latent_dim))
    out = Path(FLAGS.out)
    out.mkdir(parents=True, exist_ok=True)
    progress = keras.utils.Progbar(len(files), unit_name="picture")
    for start in range(0, len(files), FLAGS.batch_size):
        group = files[start : start + FLAGS.batch_size]
        pictures = gan.generate(
            read(group, gan.generator),
            instances=read_instances(group, gan.generator),
            style_image=style,
            latent=None if latents is None else latents[start : start + FLAGS.batch_size],
            seed=FLAGS.seed,
        )
        for file, picture in zip(group, pictures, strict=True):
            Image.fromarray(picture).save(out / file.name)
        progress.update(start + len(group))
    print(f"{len(files)} pictures are in {out}.")


def read(files, generator):
    """The label maps of some files as one batch, resized to the size the generator paints."""
    maps = [
        keras_spade.datasets.read_label_map(
            file,
            generator.num_classes,
            FLAGS.void_label if FLAGS.void_label >= 0 else None,
            generator.void_class,
        )
        for file in files
    ]
    return resized(maps, generator)


def read_instances(files, generator):
    """The instance maps beside some label maps, or `None` if the generator takes none."""
    if not generator.instance_edges:
        return None
    if FLAGS.instances is None:
        raise app.UsageError("--instances is needed: the model was trained with instance edges.")
    maps = [
        keras_spade.datasets.read_label_map(Path(FLAGS.instances) / file.name) for file in files
    ]
    return resized(maps, generator)


def resized(maps, generator):
    """Maps of any sizes as one batch."""
    size = generator.image_shape[:2]
    return np.concatenate([keras_spade.layers.nearest_resize(ids[None], *size) for ids in maps])


if __name__ == "__main__":
    app.run(main)
