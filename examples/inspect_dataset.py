"""Says what is in a dataset and what is wrong with it, before training.

    python examples/inspect_dataset.py --data=street --contact_sheet=street.png
    python examples/inspect_dataset.py --data=ADEChallengeData2016 --dataset=ade20k --split=val

Reads every file once, prints counts, sizes, ids, files that cannot be used, and the call that loads
the dataset, and draws some samples. Ends with 1 if a file cannot be used or has no partner.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import app, flags

from keras_spade import datasets

FLAGS = flags.FLAGS

NAMED = ["ade20k", "ade20k_outdoor", "camvid", "cityscapes", "cmp_facades", "coco_stuff"]

flags.DEFINE_string("data", None, "The folder of the dataset.", required=True)
flags.DEFINE_enum("dataset", None, NAMED, "A dataset by name; else a folder of your own.")
flags.DEFINE_string("split", None, "With --dataset: which part of it.")
flags.DEFINE_string("image_folder", "images", "Where in --data the photographs are.")
flags.DEFINE_string("label_folder", "labels", "Where in --data the label maps are.")
flags.DEFINE_string("instance_folder", "instances", "Where in --data instance maps are, if any.")
flags.DEFINE_string("contact_sheet", None, "A .png to draw some samples into.")
flags.DEFINE_integer("contact_rows", 8, "How many samples it shows.", lower_bound=1)


def main(argv):
    """Inspects."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown arguments: {argv[1:]}")
    data, folders = FLAGS.data, {}
    if FLAGS.dataset is None:
        folders = {
            "image_folder": FLAGS.image_folder,
            "label_folder": FLAGS.label_folder,
            "instance_folder": FLAGS.instance_folder,
        }
    else:
        split = {"split": FLAGS.split} if FLAGS.split else {}
        data = getattr(datasets, FLAGS.dataset)(data, on_bad_file="skip", **split)
    report = datasets.inspect_dataset(
        data, contact_sheet=FLAGS.contact_sheet, contact_rows=FLAGS.contact_rows, **folders
    )
    return int(bool(report.bad_files or report.unmatched))


if __name__ == "__main__":
    app.run(main)
