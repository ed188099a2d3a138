"""Measures a trained GauGAN on label maps and their photographs.

    python examples/evaluate.py --model=runs/street/gan.keras --data=street --validation_split=0.1 \
        --features=hed_bsds500.weights.h5 --segmenter=segmenter.keras --out=street.json
    python examples/evaluate.py --model=runs/scenes/gan.keras --features=hed_bsds500.weights.h5
    python examples/evaluate.py --model=runs/ade/gan.keras --data=ade --dataset=ade20k --split=val \
        --features= --png_folder=pictures      # for the literature's FID: docs/evaluation.md

Prints a table and writes JSON: each number with its protocol. Of the training's flags for the data,
pass --dataset, --validation_split, --image_folder, --label_folder, --instance_folder,
--image_channels, --image_range, --void_label, --load_size, --resize and --data_options; pass a
folder of --validation_data as --data. Classes, void, edges and image size come from the model, and
so does the label mapping, unless --void_label or --data_options set it. Ctrl-C stops after the
current batch: the JSON then has "complete": false, and no --png_folder is written.
"""

import contextlib
import json
import os
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import _data_options
import _errors
import _metric_options
import keras
import numpy as np
from _data_options import (
    check_classes,
    data_options,
    image_options,
    load,
    own_folder,
    refuse,
    refuse_with_dataset,
    share,
    sizes,
)
from _evaluation_report import results, show, the_protocol
from _painting_model import MODEL, painting_model
from absl import flags
from PIL import Image

from keras_spade import datasets, files, images, layers, metrics

FLAGS = flags.FLAGS
_data_options.define_sizes()
_data_options.define_scene_style()
_metric_options.define_metrics("imagenet")
flags.adopt_module_key_flags(_data_options)
flags.adopt_module_key_flags(_metric_options)

flags.DEFINE_string("model", None, MODEL, required=True)
flags.DEFINE_string("data", "scenes", "'scenes' (drawn), or a folder as for train.py.")
flags.DEFINE_string("split", None, "With --dataset: the split to use.")
flags.DEFINE_string(
    "validation_split", None, "The share of --data that train.py held out; or a split."
)
flags.DEFINE_integer("num_scenes", 128, "Drawn scenes, unseen in training.", lower_bound=1)
flags.DEFINE_integer("batch_size", 4, "Label maps per batch.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Seed of the latents.")
flags.DEFINE_bool("use_style", False, "Paint in the style of each map's own photograph.")
flags.DEFINE_string(
    "segmenter", None, "A Keras model that takes uint8 images and outputs class scores."
)
flags.DEFINE_integer("styles", 0, "Pictures of each map for diversity; 0: none.", lower_bound=0)
flags.DEFINE_string("out", "evaluation.json", "JSON file for the numbers.")
flags.DEFINE_string("png_folder", None, "Folder for pictures and photographs, for torch-fidelity.")

FOR_FOLDERS = (
    *("validation_split", *_data_options.FOLDERS, "image_channels", "image_range", "void_label"),
    *("load_size", "resize", "data_options", "split"),
)


def main(argv):
    """Measures the model and writes the report."""
    check_files()
    gan, weights = painting_model(FLAGS.model)
    check(gan)
    dataset = the_data(gan.generator)
    source = datasets.source_of(dataset)
    count = FLAGS.num_scenes if source.image_files is None else len(source.image_files)
    found = the_metrics(gan.generator)
    protocol = the_protocol(gan, weights, dataset)
    done, complete = 0, True
    progress = keras.utils.Progbar(count, unit_name="sample")
    try:
        with contextlib.ExitStack() as stack:
            pressed = stack.enter_context(interrupts())
            folder = None
            if FLAGS.png_folder:
                folder = stack.enter_context(files.replacing_folder(FLAGS.png_folder))
                for name in ("painted", "real"):
                    (folder / name).mkdir(parents=True)
            for batch in readable(dataset, source):
                if pressed:
                    raise KeyboardInterrupt
                measure(gan, batch, done, count, found, folder)
                done += len(batch["labels"])
                progress.update(done)
    except KeyboardInterrupt:
        if not done:
            raise
        complete = False
    skipped = len(source.skipped)
    if not done:
        raise ValueError("Nothing was measured.")
    protocol["samples"] = done
    rows = results(found, protocol)
    protocols = [row["protocol"] for row in rows] or [protocol]
    shared = {k: v for k, v in protocols[0].items() if all(p.get(k) == v for p in protocols)}
    report = {"complete": complete, "samples": done, "of": count - skipped, "skipped": skipped}
    report |= {"protocol": shared, "results": rows}
    show(report)  # Before writing, which may fail.
    with files.replacing(FLAGS.out) as partial:
        partial.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\nThe {'numbers are' if rows else 'protocol is'} in {FLAGS.out}.")
    if FLAGS.png_folder and complete:
        print(
            f"For the literature's FID and KID: fidelity --gpu 0 --fid --kid --kid-subset-size "
            f"{min(1000, done)} --input1 {FLAGS.png_folder}/painted --input2 "
            f"{FLAGS.png_folder}/real (without a GPU, --cpu instead of --gpu 0)"
        )
    return 0 if complete else 130


@contextlib.contextmanager
def interrupts():
    """A list that is filled when Ctrl-C is pressed, so that all metrics see complete batches."""
    pressed = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def check_files():
    """Raises an error for files that do not exist or could not be written."""
    if FLAGS.png_folder and Path(FLAGS.png_folder).exists():
        raise ValueError(f"--png_folder={FLAGS.png_folder} exists and would be replaced.")
    _errors.check_output("out", FLAGS.out)
    _metric_options.check()
    if FLAGS.segmenter and not Path(FLAGS.segmenter).exists():
        raise ValueError(f"--segmenter={FLAGS.segmenter}: no such file.")


def check(gan):
    """Raises an error for flags that do not apply to the model or would be ignored."""
    generator = gan.generator
    if generator.conditioning != "labels":
        raise ValueError("--model paints float maps; this script reads label maps.")
    for name in ("features", "png_folder"):
        _metric_options.check_channels(name, generator.image_shape[-1])
    if FLAGS.styles == 1:
        raise ValueError("--styles=1: diversity needs at least two pictures per map.")
    if FLAGS.styles and generator.latent_dim is None:
        raise ValueError(f"--styles={FLAGS.styles}: the model has no latent.")
    if FLAGS.styles and not FLAGS.features:
        raise ValueError("--styles needs --features: the distance uses VGG16.")
    if FLAGS.use_style and gan.encoder is None:
        raise ValueError("--use_style: the model has no encoder.")


def the_data(generator):
    """Batches of all label maps and photographs, in order."""
    common = {"image_size": generator.image_shape[:2], "batch_size": FLAGS.batch_size}
    common["shuffle"] = False
    if FLAGS.data == "scenes" and FLAGS.dataset is None:
        refuse(FOR_FOLDERS, "requires --data; without it, scenes are drawn.")
        if generator.num_classes != len(datasets.SCENE_CLASSES):
            raise ValueError(
                f"The model paints {generator.num_classes} classes, but drawn scenes have "
                f"{len(datasets.SCENE_CLASSES)}: pass --data."
            )
        scenes = {"first_scene": 1_000_000, "drop_remainder": False, "style": FLAGS.scene_style}
        return datasets.synthetic_scenes(FLAGS.num_scenes, **scenes, **common)
    refuse(["num_scenes", "scene_style"], "is for drawn scenes, without --data.")
    common |= {**sizes(), **image_options()}
    if not FLAGS["image_channels"].present:
        common["image_channels"] = generator.image_shape[-1]
    defaults = {"crop": "center"}
    part = share("validation_split")
    if part is not None:
        defaults |= {"validation_split": part, "subset": "validation"}
    if FLAGS.dataset is None:
        if FLAGS.split:
            raise ValueError("--split is for --dataset; folders have --validation_split=0.1.")
        classes = {"num_classes": generator.num_classes, "void_class": generator.void_class}
        instances = generator.instance_edges
        return own_folder(FLAGS.data, defaults, generator, instances=instances, **classes, **common)
    refuse_with_dataset("void_label", *_data_options.FOLDERS)
    split = FLAGS.validation_split if part is None else None
    if split and FLAGS.split:
        raise ValueError("--split and --validation_split=name exclude each other.")
    if split or FLAGS.split:
        common["split"] = split or FLAGS.split
    if datasets.PUBLIC_DATASETS[FLAGS.dataset].has_instances:
        common["instances"] = generator.instance_edges
    options = {**defaults, **common, **data_options(FLAGS.data_options, (*common, "split"))}
    dataset = load(FLAGS.dataset, FLAGS.data, **options)
    check_classes(generator, datasets.source_of(dataset))
    if FLAGS.segmenter and datasets.source_of(dataset).num_classes != generator.num_classes:
        raise ValueError("--segmenter: the model counts void as class 0, which is not measured.")
    return dataset


def the_metrics(generator):
    """The metrics for the flags, by name."""
    found = {metric.name: metric for metric in _metric_options.metrics()}
    if FLAGS.styles:
        found["diversity"] = metrics.Diversity(metrics.PerceptualDistance(FLAGS.features))
    if FLAGS.segmenter:
        found |= _metric_options.segmentations(FLAGS.segmenter, generator)
    return found


def readable(dataset, source):
    """Batches without the samples that stand in for unreadable files."""
    paths = list(source.image_files or ())
    for batch in dataset.as_numpy_iterator():
        names, paths = paths[: len(batch["labels"])], paths[len(batch["labels"]) :]
        kept = [
            i for i in range(len(batch["labels"])) if not names or names[i] not in source.skipped
        ]
        if kept:
            yield {key: array[kept] for key, array in batch.items()}


def measure(gan, batch, first, count, found, folder):
    """Paints a batch and adds it to the metrics; writes pictures and photographs."""
    labels, real = batch["labels"], images.to_bytes(batch["image"])
    instances = batch["instances"] if gan.generator.instance_edges else None
    # One per position in the data, independent of the batch size.
    latents = None
    if gan.generator.latent_dim is not None:
        shape = (len(labels), max(1, FLAGS.styles), gan.generator.latent_dim)
        drawn = [np.random.default_rng((FLAGS.seed, first + i)) for i in range(len(labels))]
        latents = np.stack([rng.normal(size=shape[1:]) for rng in drawn])

    def painted(latent):
        return gan.generate(labels, instances=instances, latent=latent)

    latent = None if latents is None else latents[:, 0]
    if FLAGS.use_style:
        posteriors = zip(*gan.encoder(batch["image"], training=False), drawn, strict=True)
        latent = np.concatenate([sample(*posterior) for posterior in posteriors])
    fake = painted(latent)
    for name in _metric_options.DISTANCES:
        if name in found:
            found[name].update_state(real, fake)
    if "segmentation" in found:
        found["segmentation"].update_state(labels, fake)
        found["segmentation_of_photographs"].update_state(labels, real)
    if "diversity" in found:
        pictures = [painted(latents[:, number]) for number in range(FLAGS.styles)]
        found["diversity"].update_state(np.stack(pictures, axis=1))
    if folder is not None:
        for name, pictures in (("painted", fake), ("real", real)):
            for i, picture in enumerate(pictures, first):
                picture = np.broadcast_to(picture, (*picture.shape[:2], 3))
                Image.fromarray(picture).save(folder / name / f"{i:06d}.png")


def sample(mean, log_variance, rng):
    """A latent of a posterior."""
    latent = layers.reparameterize(mean[None], log_variance[None], seed=int(rng.integers(2**31)))
    return keras.ops.convert_to_numpy(latent)


if __name__ == "__main__":
    _errors.run(main)
