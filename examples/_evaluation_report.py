"""The report of `evaluate.py`: each number with its protocol, as JSON and as a table."""

import hashlib
import math
from pathlib import Path

from absl import flags

from keras_spade import datasets

FLAGS = flags.FLAGS


def the_protocol(gan, weights, dataset):
    """The protocol that all numbers share."""
    height, width, channels = gan.generator.image_shape
    source = datasets.source_of(dataset)
    arguments = source.call.arguments
    data = {name: arguments.get(name) for name in ("split", "subset", "validation_split", "style")}
    latent = "none"
    if gan.generator.latent_dim is not None:
        latent = f"standard normal, seed {FLAGS.seed}"
    if FLAGS.use_style:
        latent = f"of the style of each map's photograph, seed {FLAGS.seed}"
    void = "no void"
    if gan.generator.void_class:
        void = "void is painted as a class; segmentation ignores its pixels"
    return {
        "model": described(FLAGS.model),
        "weights": weights,
        "size": f"{height} x {width} x {channels}",
        "resampling": source.resampling,
        "data": {"name": FLAGS.dataset or FLAGS.data} | {k: v for k, v in data.items() if v},
        "real": "the photographs of the label maps that are painted",
        "void": void,
        "latent": latent,
    }


def described(path):
    """Describes a file by name and content; other values are returned."""
    if not path or not Path(path).is_file():
        return path
    with open(path, "rb") as file:
        return f"{Path(path).name}, sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"


def results(found, protocol):
    """One row per number: its name, value and protocol, with the content of the metric's file."""
    files = {name: described(FLAGS[name].value) for name in ("features", "segmenter")}
    rows = []
    for name, metric in found.items():
        own = metric.protocol()
        if name.startswith("segmentation"):
            photographs = name.endswith("photographs")
            own["segmenter"] = files["segmenter"]
            own["pictures"] = "the photographs themselves" if photographs else "painted"
            ending = "_of_photographs" if photographs else ""
            values = {f"{key}{ending}": value for key, value in metric.result().items()}
        else:
            own["vgg16"] = files["features"]
            if name == "diversity":
                own["pictures_of_each_map"] = FLAGS.styles
                own["latent"] = f"standard normal, seed {FLAGS.seed}"
            values = {name: metric.result()}
        for key, value in values.items():
            value = float(value)
            rows.append({"name": key, "value": value if math.isfinite(value) else None})
            rows[-1]["protocol"] = {**protocol, **own}
    return rows


def show(report):
    """Prints the table: each number with its own protocol, and the shared protocol below."""
    rows, samples = report["results"], report["samples"]
    if not report["complete"]:
        print(f"\nINTERRUPTED: {samples} of {report['of']} samples; not the final numbers.")
    print()
    for row in rows:
        own = {k: v for k, v in row["protocol"].items() if k not in report["protocol"]}
        own = "; ".join(f"{k}: {v}" for k, v in own.items())
        value = "not a number" if row["value"] is None else f"{row['value']:.6g}"
        print(f"{row['name']:<32}{value:>14}  {own}")
    if samples < 2 and any(row["value"] is None for row in rows):
        print("\nDistances need at least two samples.")
    print("\nAll numbers:" if rows else "All pictures:")
    for key, value in report["protocol"].items():
        print(f" {key}: {value}")
