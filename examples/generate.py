"""Paints a folder of label maps with a trained GauGAN.

    python examples/generate.py --model=runs/street/gan.keras --labels=street/labels --out=painted
    python examples/generate.py --model=runs/street/gan.keras --data=street --out=painted
    python examples/generate.py --model=runs/ade/gan.keras --out=painted \
        --data=ade --dataset=ade20k --split=val

Every label map (PNG, BMP, TIFF or .npy, ids in one channel, in folders in folders too) becomes a
PNG of the same name, of a public dataset of the name of its photograph; of images that are neither
grey nor RGB, a .npy file of bytes (height, width, channels).
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import _data_options
import keras
import numpy as np
from _data_options import data_options, image_options, load, refuse_with_dataset
from absl import flags
from PIL import Image

import keras_spade

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(_data_options)

# With a bad file skipped, another's picture would have its name.
TAKEN = ("split", "image_size", "batch_size", "shuffle", "on_bad_file", "flip", "shard")
SUFFIXES = (".bmp", ".npy", ".png", ".tif", ".tiff")

flags.DEFINE_string("model", None, "The model that train.py saved, gan.keras.", required=True)
flags.DEFINE_string("data", None, "A folder as for train.py; or --labels.")
flags.DEFINE_string("labels", None, "A folder of label maps alone.")
flags.DEFINE_string("split", None, "With --dataset: which part of it.")
flags.DEFINE_string("out", None, "Where the pictures go.", required=True)
flags.DEFINE_string("instances", None, "With --labels: a folder of instance maps, if needed.")
flags.DEFINE_string("style", None, "A photograph whose style is taken, with an encoder.")
flags.DEFINE_integer("batch_size", 4, "Label maps painted at once.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Of the latents.")


def main(argv):
    """Paints."""
    if (FLAGS.data is None) == (FLAGS.labels is None):
        raise ValueError("One of --data and --labels is needed: where the label maps are.")
    for name in ("data", "labels", "instances"):
        if FLAGS[name].value is not None and not Path(FLAGS[name].value).is_dir():
            raise ValueError(f"--{name}={FLAGS[name].value} is not a folder.")
    gan = keras.models.load_model(FLAGS.model, compile=False)
    names, batches = (public if FLAGS.dataset else own_folder)(gan.generator)
    style = None
    if FLAGS.style:
        images = image_options()
        if gan.encoder is not None:
            images["image_channels"] = gan.encoder.image_shape[-1]
        style = load("read_image", FLAGS.style, **images)[None]
    latents = None
    if gan.generator.latent_dim is not None and style is None:
        rng = np.random.default_rng(FLAGS.seed)
        latents = rng.normal(size=(len(names), gan.generator.latent_dim))
    out = Path(FLAGS.out)
    progress = keras.utils.Progbar(len(names), unit_name="picture")
    done = 0
    for labels, instances in batches:
        group = names[done : done + len(labels)]
        pictures = gan.generate(
            labels,
            instances=instances,
            style_image=style,
            latent=None if latents is None else latents[done : done + len(labels)],
            seed=FLAGS.seed,
        )
        for name, picture in zip(group, pictures, strict=True):
            path = out / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            if picture.shape[-1] in (1, 3):
                Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(
                    path
                )
            else:
                np.save(path.with_suffix(".npy"), picture)
        done += len(labels)
        progress.update(done)
    print(f"{done} pictures are in {out}.")


def public(generator):
    """Names and batches of label and instance maps of a public dataset."""
    if FLAGS.instances:
        raise ValueError("--instances is for your own folders; --dataset has its own.")
    options = {"split": FLAGS.split} if FLAGS.split else {}
    options |= data_options(FLAGS.data_options, TAKEN)
    options |= {"image_size": generator.image_shape[:2], "batch_size": FLAGS.batch_size}
    refuse_with_dataset("void_label", *_data_options.FOLDERS)
    directory = FLAGS.data or FLAGS.labels
    dataset = load(FLAGS.dataset, directory, **options, shuffle=False)
    source = keras_spade.datasets.source_of(dataset)
    classes, void = source.num_classes, source.void_class
    # Ids as in the files, 0 being void, are 151 classes or 150 and void: the same channels.
    unshifted = classes == 151 and generator.num_classes == 150 and generator.void_class
    if not unshifted and (classes != generator.num_classes or void > generator.void_class):
        raise ValueError(
            f"The model paints {generator.num_classes} classes"
            f"{' and void' if generator.void_class else ''}, {source.title} has {classes}"
            f"{' and void' if void else ''}."
        )
    if generator.instance_edges and not source.has_instances:
        raise ValueError(
            f"The model was trained with instance edges, {directory} has no instance maps."
        )
    paths = [Path(file) for file in source.image_files]
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [
            path.relative_to(Path(directory).expanduser().absolute()).with_suffix("")
            for path in paths
        ]
    return names, (
        (batch["labels"], batch["instances"] if generator.instance_edges else None)
        for batch in dataset.as_numpy_iterator()
    )


def own_folder(generator):
    """Names and batches of label and instance maps of a folder."""
    if FLAGS.split:
        raise ValueError("--split is for --dataset.")
    labels = (FLAGS.labels,) if FLAGS.data is None else (FLAGS.data, FLAGS.label_folder)
    files = by_name(*labels)
    if not files:
        raise ValueError(f"{'/'.join(labels)} holds no {', '.join(SUFFIXES)} files.")
    instances = {}
    if generator.instance_edges:
        if FLAGS.instances is None and FLAGS.data is None:
            raise ValueError("--instances is needed: the model was trained with instance edges.")
        maps = (FLAGS.instances,) if FLAGS.instances else (FLAGS.data, FLAGS.instance_folder)
        instances = by_name(*maps)
        missing = [name for name in files if name not in instances]
        if missing:
            raise ValueError(f"{'/'.join(maps)} holds no {missing[0]}.")
    names = list(files)
    groups = (names[i : i + FLAGS.batch_size] for i in range(0, len(names), FLAGS.batch_size))
    options = data_options(FLAGS.data_options, ("num_classes", "void_label", "void_class"))
    return names, (
        (
            read([files[name] for name in group], generator, options),
            read_instances([instances[name] for name in group], generator) if instances else None,
        )
        for group in groups
    )


def by_name(folder, within="."):
    """A dict name -> file, of those that may be maps, in the order of their names.

    `within` is a folder in `folder`, or several, as `*/labels`, the files of which are named by
    part, then.
    """
    parts = sorted(Path(folder).glob(within)) if "*" in within else [Path(folder, within)]
    if not parts or not parts[0].is_dir():
        raise ValueError(
            f"{folder} holds no folder {within}; --label_folder and the like name others."
        )
    files = {}
    for part in parts:
        begin = part.parent.relative_to(folder) if "*" in within else Path()
        for file in sorted(part.rglob("*")):
            path = begin / file.relative_to(part)
            if file.suffix.lower() not in SUFFIXES or any(name[0] == "." for name in path.parts):
                continue
            other = files.setdefault(path.with_suffix(""), file)
            if other != file:
                raise ValueError(f"{other} and {file} have the same name.")
    return files


def read(files, generator, options):
    """The label maps of some files as one batch, resized to the size the generator paints."""
    void_label = FLAGS.void_label if FLAGS.void_label >= 0 else None
    arguments = {
        "num_classes": generator.num_classes,
        "void_class": generator.void_class,
        **options,
    }
    if FLAGS["void_label"].present or "label_mapping" not in options:
        arguments["void_label"] = void_label
    return resized([load("read_label_map", file, **arguments) for file in files], generator)


def read_instances(files, generator):
    """The instance maps of some files as one batch."""
    return resized([keras_spade.datasets.read_label_map(file) for file in files], generator)


def resized(maps, generator):
    """Maps of any sizes as one batch."""
    size = generator.image_shape[:2]
    return np.concatenate([keras_spade.layers.nearest_resize(ids[None], *size) for ids in maps])


if __name__ == "__main__":
    _data_options.run(main)
