"""Reports the contents of a dataset and its problems, before training.

    python examples/inspect_dataset.py --data=street --contact_sheet=street.png
    python examples/inspect_dataset.py --data=street --num_classes=11 --void_class
    python examples/inspect_dataset.py --data=ADEChallengeData2016 --dataset=ade20k --split=val

Reads every file once, prints counts, sizes, ids, unusable files, and the call that loads the
dataset, and draws some samples. With --num_classes or --dataset, it also reports files that these
settings cannot load. Exits with 1 if a file is unusable or has no partner, or if no call loads the
dataset.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import _data_options
import _errors
from _data_options import data_options, folders, image_options, load, refuse_with_dataset
from absl import flags

from keras_spade import datasets

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(_data_options)

flags.DEFINE_string("data", None, "The folder of the dataset.", required=True)
flags.DEFINE_string("split", None, "With --dataset: the split to use.")
flags.DEFINE_integer("num_classes", None, "Number of classes in your own folder, excluding void.")
flags.DEFINE_bool("void_class", False, "Whether void pixels are a separate class.")
flags.DEFINE_string("contact_sheet", None, "A .png file for a picture of some samples.")
flags.DEFINE_integer("contact_rows", 8, "Number of samples in it.", lower_bound=1)


def main(argv):
    """Inspects the data and prints the report."""
    flags_of_own = ("num_classes", "void_label", "void_class", *folders())
    images = image_options()
    taken = ("split", *images, *(flags_of_own if FLAGS.dataset is None else ()))
    options = data_options(FLAGS.data_options, taken)
    options |= {"on_bad_file": "skip", **images}  # Skipped bad files are still reported.
    data = FLAGS.data
    if FLAGS.split and FLAGS.dataset is None:
        raise ValueError("--split is for --dataset.")
    needs = ("void_label", "void_class", "data_options", *images)
    needs = [f for f in needs if FLAGS[f].present]
    if needs and FLAGS.dataset is None and FLAGS.num_classes is None:
        raise ValueError(f"--{needs[0]} needs --num_classes or --dataset.")
    if FLAGS.dataset is not None:
        refuse_with_dataset(*flags_of_own)
        split = {"split": FLAGS.split} if FLAGS.split else {}
        data = load(FLAGS.dataset, data, **split, **options)
    elif FLAGS.num_classes is not None:
        options = {"image_size": (256, 256), **options}
        options |= {"num_classes": FLAGS.num_classes, "void_class": FLAGS.void_class}
        if FLAGS["void_label"].present or "label_mapping" not in options:
            options["void_label"] = FLAGS.void_label if FLAGS.void_label >= 0 else None
        data = load("paired_folders", data, **folders(), **options)
    report = datasets.inspect_dataset(
        data, contact_sheet=FLAGS.contact_sheet, contact_rows=FLAGS.contact_rows, **folders()
    )
    return int(bool(report.bad_files or report.unmatched or report.call is None))


if __name__ == "__main__":
    _errors.run(main)
