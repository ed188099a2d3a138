"""Paints a folder of label maps with a trained GauGAN.

    python examples/generate.py --model=runs/street/gan.keras --labels=street/labels --out=painted
    python examples/generate.py --model=runs/street/gan.keras --data=street --out=painted
    python examples/generate.py --model=runs/ade/gan.keras --out=painted \
        --data=ade --dataset=ade20k --split=val
    python examples/generate.py --model=scenes --labels=maps --out=painted     # a shipped preset

Every label map (PNG, BMP, TIFF or .npy with ids in one channel, also in nested folders) becomes a
PNG of the same name, or of the name of its photograph for a public dataset. Images that are neither
grey nor RGB are written as .npy files of bytes (height, width, channels). Label files are read with
the label mapping of the model's training, unless --void_label or --data_options set another. With
--resize and --load_size as in training, the centre of each label map is painted; otherwise it is
stretched.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import _data_options
import _errors
import keras
import numpy as np
from _data_options import (
    add_label_mapping,
    check_classes,
    data_options,
    image_options,
    load,
    refuse,
    refuse_with_dataset,
    sizes,
)
from _painting_model import MODEL, painting_model
from absl import flags
from PIL import Image

from keras_spade import GauGAN, datasets, painting

FLAGS = flags.FLAGS
_data_options.define_sizes()
flags.adopt_module_key_flags(_data_options)

TAKEN = ("image_size", "load_size", "resize", "crop", "batch_size", "shuffle", "flip", "shard")

flags.DEFINE_string("model", None, MODEL, required=True)
flags.DEFINE_string("data", None, "A folder as for train.py; or --labels.")
flags.DEFINE_string("labels", None, "A folder of label maps only.")
flags.DEFINE_string("split", None, "With --dataset: the split to use.")
flags.DEFINE_string("out", None, "Folder for the pictures.", required=True)
flags.DEFINE_string("instances", None, "A folder of instance maps, if needed.")
flags.DEFINE_string("style", None, "A photograph whose style to use, with an encoder.")
flags.DEFINE_integer("batch_size", 4, "Label maps per batch.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Seed of the latents.")
flags.DEFINE_enum(
    "precision",
    "auto",
    ["auto", "float32", "mixed_bfloat16"],
    "Precision of computations; auto: 16 bits on processors that are faster in them.",
)


def main(argv):
    """Paints the label maps."""
    if (FLAGS.data is None) == (FLAGS.labels is None):
        raise ValueError("Pass either --data or --labels, the folder with the label maps.")
    for name in ("data", "labels", "instances"):
        if FLAGS[name].value is not None and not Path(FLAGS[name].value).is_dir():
            raise ValueError(f"--{name}={FLAGS[name].value} is not a folder.")
    refuse(["image_folder"], "does not apply: pictures are painted from label maps.")
    if FLAGS.data is None:
        refuse(["label_folder", "instance_folder"], "is for --data; with --labels, --instances.")
    if FLAGS.style is None:
        refuse(["image_channels", "image_range"], "is for --style.")
    gan, _ = painting_model(FLAGS.model)
    generator = painting.in_precision(gan.generator, FLAGS.precision)
    if generator is not gan.generator:
        gan = GauGAN(generator, gan.discriminator, gan.encoder)
    if not gan.generator.instance_edges:
        refuse(["instances", "instance_folder"], "does not apply: the model has no instance edges.")
    count, batches = (public if FLAGS.dataset else own_folder)(gan.generator)
    style = None
    if FLAGS.style:
        images = image_options()
        if gan.encoder is not None and not FLAGS["image_channels"].present:
            images["image_channels"] = gan.encoder.image_shape[-1]
        style = load("read_image", FLAGS.style, **images)[None]
    latents = None
    if gan.generator.latent_dim is not None and style is None:
        rng = np.random.default_rng(FLAGS.seed)
        latents = rng.normal(size=(count, gan.generator.latent_dim))
    out = Path(FLAGS.out)
    progress = keras.utils.Progbar(count, unit_name="picture")
    done = painted = 0
    for names, labels, instances in batches:
        pictures = gan.generate(
            labels,
            instances=instances,
            style_image=style,
            latent=None if latents is None else latents[done : done + len(labels)],
            seed=FLAGS.seed,
        )
        for name, picture in zip(names, pictures, strict=True):
            if name is None:
                continue
            path = out / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            if picture.shape[-1] in (1, 3):
                Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(
                    path
                )
            else:
                np.save(path.with_suffix(".npy"), picture)
            painted += 1
        done += len(labels)
        progress.update(done)
    if not painted:
        raise ValueError("No label map can be read.")
    print(f"{painted} pictures are in {out}.")


def public(generator):
    """Number and batches of names, label and instance maps of a public dataset.

    Unreadable files are skipped if --data_options says so: their name is `None`, because another
    sample replaces them.
    """
    refuse_with_dataset("void_label", "instances", *_data_options.FOLDERS)
    options = {"split": FLAGS.split} if FLAGS.split else {}
    options |= data_options(FLAGS.data_options, ("split", "instances", *TAKEN))
    if datasets.PUBLIC_DATASETS[FLAGS.dataset].has_instances:
        options["instances"] = generator.instance_edges
    options |= {"image_size": generator.image_shape[:2], "batch_size": FLAGS.batch_size, **sizes()}
    directory = FLAGS.data or FLAGS.labels
    dataset = load(FLAGS.dataset, directory, **options, shuffle=False, crop="center")
    source = datasets.source_of(dataset)
    check_classes(generator, source)
    paths = [Path(file) for file in source.image_files]
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [
            path.relative_to(Path(directory).expanduser().absolute()).with_suffix("")
            for path in paths
        ]
    named = list(zip(names, source.image_files, strict=True))

    def batches():
        for batch in dataset.as_numpy_iterator():
            group = named[: len(batch["labels"])]
            del named[: len(group)]
            group = [None if file in source.skipped else name for name, file in group]
            yield group, batch["labels"], batch["instances"] if generator.instance_edges else None

    return len(names), batches()


def own_folder(generator):
    """Number and batches of names, label and instance maps of a folder.

    Unreadable maps are omitted if --data_options says so.
    """
    if FLAGS.split:
        raise ValueError("--split is for --dataset.")
    if FLAGS.data is None:
        files = datasets.label_files(FLAGS.labels)
    else:
        files = datasets.label_files(FLAGS.data, FLAGS.label_folder)
    instances = None
    if generator.instance_edges:
        if FLAGS.instances:
            refuse(["instance_folder"], "and --instances exclude each other.")
            instances = datasets.label_files(FLAGS.instances, kind="instance")
        elif FLAGS.data:
            instances = datasets.label_files(FLAGS.data, FLAGS.instance_folder, "instance")
        else:
            raise ValueError("--instances is needed: the model was trained with instance edges.")
        missing = [name for name in files if name not in instances]
        if missing:
            raise ValueError(f"{files[missing[0]]} has no instance map of the same name.")
    size = {"image_size": generator.image_shape[:2], **sizes()}
    options = {"num_classes": generator.num_classes, "void_class": generator.void_class, **size}
    options |= data_options(FLAGS.data_options, (*options, "void_label", *TAKEN))
    skips = options.pop("on_bad_file", "error") == "skip"
    add_label_mapping(options, generator)

    def maps(name):
        found = [load("read_label_map", files[name], **options)]
        return found + ([load("read_label_map", instances[name], **size)] if instances else [])

    def batches():
        names = list(files)
        for i in range(0, len(names), FLAGS.batch_size):
            found = {}
            for name in names[i : i + FLAGS.batch_size]:
                try:
                    found[name] = maps(name)
                except ValueError as error:
                    if not skips:
                        raise
                    print(f"Skipped: {error}")
            if found:
                labels, *edges = map(np.stack, zip(*found.values(), strict=True))
                yield list(found), labels, edges[0] if edges else None

    return len(files), batches()


if __name__ == "__main__":
    _errors.run(main)
