"""The flags that select label maps."""

from absl import app, flags

from benchmarks.harness.label_maps import load_label_maps
from benchmarks.harness.turns import log

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "data",
    "scenes",
    "'scenes' (drawn); a public set of keras_spade.datasets and its folder, as 'coco_stuff:<dir>'; "
    "'folders:<dir>' (images, labels); or 'noise', 'noise:<n>': random squares of n x n pixels.",
)
flags.DEFINE_integer(
    "num_classes", None, "Number of classes, excluding void; by default, as in the data."
)
flags.DEFINE_integer("void_label", 255, "With folders: the id of void in the files.")
flags.DEFINE_bool("void_class", None, "Whether void is a class; by default, as in the data.")
flags.DEFINE_integer("height", 256, "Of the images.", lower_bound=32)
flags.DEFINE_integer("width", 256, "Of the images.", lower_bound=32)
flags.DEFINE_integer("base_filters", 64, "Width of all networks.", lower_bound=1)


def load(count):
    """Loads a number of label maps.

    Raises:
        app.UsageError: for flags that make no sense.
    """
    for flag in ("height", "width"):
        if FLAGS[flag].value % 32:
            raise app.UsageError(f"--{flag}={FLAGS[flag].value} is not divisible by 32.")
    log("loading label maps")
    classes = (FLAGS.num_classes, FLAGS.void_class, FLAGS.void_label)
    try:
        return load_label_maps(FLAGS.data, count, (FLAGS.height, FLAGS.width), *classes)
    except ValueError as error:
        raise app.UsageError(str(error)) from None
