"""Says what is in a dataset and what is wrong with it, before training.

    python examples/inspect_dataset.py --data=street --contact_sheet=street.png
    python examples/inspect_dataset.py --data=street --num_classes=11 --void_class
    python examples/inspect_dataset.py --data=ADEChallengeData2016 --dataset=ade20k --split=val

Reads every file once, prints counts, sizes, ids, files that cannot be used, and the call that loads
the dataset, and draws some samples. With --num_classes or --dataset also says which files would not
load so. Ends with 1 if a file cannot be used or has no partner.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from _data_options import HELP, NAMED, data_options, load
from absl import app, flags

from keras_spade import datasets

FLAGS = flags.FLAGS

flags.DEFINE_string("data", None, "The folder of the dataset.", required=True)
flags.DEFINE_enum("dataset", None, NAMED, "A dataset by name; else a folder of your own.")
flags.DEFINE_string("split", None, "With --dataset: which part of it.")
flags.DEFINE_integer("num_classes", None, "Label classes, void not counted, of your own folder.")
flags.DEFINE_integer("void_label", 255, "The id in the label files of 'don't care'; below 0: none.")
flags.DEFINE_bool("void_class", False, "Whether void pixels are a class of their own.")
flags.DEFINE_integer("image_channels", 3, "1: grey; 3: RGB; else as many as the image files have.")
flags.DEFINE_list(
    "image_range", None, "low,high: what of deep image files becomes black and white."
)
flags.DEFINE_string("data_options", "{}", HELP)
flags.DEFINE_string("image_folder", "images", "Where in --data the photographs are.")
flags.DEFINE_string("label_folder", "labels", "Where in --data the label maps are.")
flags.DEFINE_string("instance_folder", "instances", "Where in --data instance maps are, if any.")
flags.DEFINE_string("contact_sheet", None, "A .png to draw some samples into.")
flags.DEFINE_integer("contact_rows", 8, "How many samples it shows.", lower_bound=1)


def main(argv):
    """Inspects."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    folders = {
        "image_folder": FLAGS.image_folder,
        "label_folder": FLAGS.label_folder,
        "instance_folder": FLAGS.instance_folder,
    }
    flags_of_own = ("num_classes", "void_label", "void_class", *folders)
    images = ("image_channels", "image_range")
    taken = ("split", "on_bad_file", *images, *(flags_of_own if FLAGS.dataset is None else ()))
    options = data_options(FLAGS.data_options, taken)
    options |= {"on_bad_file": "skip", "image_channels": FLAGS.image_channels}
    options["image_range"] = FLAGS.image_range and tuple(map(float, FLAGS.image_range))
    data = FLAGS.data
    if FLAGS.split and FLAGS.dataset is None:
        raise app.UsageError("--split is for --dataset.")
    needs = ("void_label", "void_class", "data_options", *images)
    needs = [f for f in needs if FLAGS[f].present]
    if needs and FLAGS.dataset is None and FLAGS.num_classes is None:
        raise app.UsageError(f"--{needs[0]} needs --num_classes or --dataset.")
    own = [flag for flag in flags_of_own if FLAGS[flag].present]
    if FLAGS.dataset is not None and own:
        raise app.UsageError(f"--{own[0]} is for your own folders; --dataset has its own.")
    if FLAGS.dataset is not None:
        split = {"split": FLAGS.split} if FLAGS.split else {}
        data = load(FLAGS.dataset, data, **split, **options)
    elif FLAGS.num_classes is not None:
        options = {"image_size": (256, 256), **options}
        options |= {"num_classes": FLAGS.num_classes, "void_class": FLAGS.void_class}
        if FLAGS["void_label"].present or "label_mapping" not in options:
            options["void_label"] = FLAGS.void_label if FLAGS.void_label >= 0 else None
        data = load("paired_folders", data, **folders, **options)
    report = datasets.inspect_dataset(
        data, contact_sheet=FLAGS.contact_sheet, contact_rows=FLAGS.contact_rows, **folders
    )
    return int(bool(report.bad_files or report.unmatched))


if __name__ == "__main__":
    app.run(main)
