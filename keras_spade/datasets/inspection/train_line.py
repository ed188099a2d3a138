"""The `examples/train.py` command that trains on the data loaded by a call."""

import os
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.paired_folders import paired_folders
from keras_spade.datasets.inspection.folder_names import PARTS
from keras_spade.datasets.public.public_dataset import PUBLIC_DATASETS

# Arguments with their own flags; for one's own folders, those in OWN_FLAGS too.
FLAGS = (
    *("image_size", "load_size", "resize", "image_channels", "image_range"),
    *("validation_split", "batch_size", "seed"),
)
OWN_FLAGS = ("num_classes", "image_folder", "label_folder", "instance_folder")
# Arguments chosen by the script itself, or by `--instance_edges`.
CHOSEN = ("directory", "split", "flip", "subset", "shuffle", "drop_remainder", "instances", "edges")

# The script's default is for a first look at the drawn scenes; a training of your own resumes.
EPOCHS = 100


def train_line(
    function: Callable,
    arguments: Mapping[str, Any],
    defaults: Mapping[str, Any],
    with_instances: bool,
) -> str | None:
    """The command as a string; `None` if the script does not know the function.

    Args:
        function: the function of this package that loads the data.
        arguments: its arguments, whether default or not.
        defaults: dict name -> default of all its arguments.
        with_instances: whether there are instance maps.
    """
    own = function.__name__ == paired_folders.__name__
    if not own and function.__name__ not in PUBLIC_DATASETS:
        return None
    directory = os.fspath(arguments["directory"])
    flags = [f"--data={directory}"]
    if not own:
        flags.append(f"--dataset={function.__name__}")
    if "split" in arguments:
        flags.append(f"--split={arguments['split']}")
    options = {}
    for name, value in arguments.items():
        by_default = name in defaults and value == defaults[name]
        if name in CHOSEN or (by_default and name != "image_size"):
            continue
        if name in FLAGS or (own and name in OWN_FLAGS):
            edges = value if isinstance(value, (tuple, list)) else [value]
            flags.append(f"--{name}={','.join(map(str, edges))}")
        elif own and name == "void_class":
            flags.append("--void_class")
        elif own and name == "void_label" and (value is None or value >= 0):
            flags.append(f"--void_label={-1 if value is None else value}")
        elif name == "void_label":
            options["label_mapping"] = {"void_labels": value}
        else:
            options[name] = value.arguments if isinstance(value, LabelMapping) else value
    if with_instances:
        flags.append("--instance_edges")
    if not arguments.get("flip", False):
        flags.append("--noflip")
    if options:
        text = str(options)
        # A shell accepts this in single quotes without escapes.
        text = text if '"' in text else text.replace("'", '"')
        flags.append(f"--data_options={text}")
    flags.append(f"--epochs={EPOCHS}")
    names = os.path.abspath(directory).split(os.sep)
    # A folder called "train" is a part of the folder above it.
    name = names[-2] if names[-1].lower() in PARTS and names[-2] else names[-1]
    flags.append(f"--run_dir=runs/{name}")
    return " ".join(map(shlex.quote, ["python", "examples/train.py", *flags]))
