"""Flags for data in the scripts, and the datasets they select."""

import ast

from absl import flags

from keras_spade import datasets

FLAGS = flags.FLAGS
NAMED = list(datasets.PUBLIC_DATASETS)
FOLDERS = ("image_folder", "label_folder", "instance_folder")

flags.DEFINE_string(
    "image_folder", "images", "Subfolder of --data with the photographs; also */images."
)
flags.DEFINE_string("label_folder", "labels", "Subfolder of --data with the label maps.")
flags.DEFINE_string(
    "instance_folder", "instances", "Subfolder of --data with instance maps, if any."
)
flags.DEFINE_enum(
    "dataset", None, NAMED, "The public dataset in --data; by default, your own folder."
)
flags.DEFINE_integer(
    "image_channels", 3, "1: grey; 3: RGB; otherwise the number in the image files."
)
flags.DEFINE_list(
    "image_range", None, "low,high: the values of high-bit-depth files that become black and white."
)
flags.DEFINE_integer("void_label", 255, "The id of 'don't care' in the label files; below 0: none.")
flags.DEFINE_string(
    "data_options",
    "{}",
    "Further arguments of the function that loads the data, as a Python dict, such as "
    "\"{'counting': 'unshifted'}\"; a label_mapping is the dict of its arguments.",
)


def define_sizes():
    """Defines the flags that set how files are resized to the networks' image size."""
    flags.DEFINE_list(
        "load_size",
        None,
        "With folders: height,width before the crop, or one number; see --resize.",
    )
    flags.DEFINE_enum(
        "resize",
        "stretch",
        ["stretch", "scale_width", "scale_short_side", "none"],
        "With folders: the meaning of --load_size; scale_... keep the aspect ratio.",
    )


def define_scene_style():
    """Defines the flag for the style of drawn scenes."""
    flags.DEFINE_enum(
        "scene_style",
        "day",
        ["day", "varied"],
        "Drawn scenes: at noon in clear weather, or in any light and weather.",
    )


def sizes():
    """The arguments of `define_sizes`."""
    load_size = numbers("load_size", int, (1, 2))
    if load_size is not None and len(load_size) == 1:
        (load_size,) = load_size
    return {"load_size": load_size, "resize": FLAGS.resize}


def share(name):
    """The share of a folder in a flag; `None` if the flag names a split or is not set."""
    text = FLAGS[name].value
    try:
        return float(text or "")
    except ValueError:
        if text and FLAGS.dataset is None:
            raise ValueError(
                f"--{name}={text} must be a share between 0 and 1 of your own folder; names of "
                "splits are for --dataset."
            ) from None
    return None


def folders():
    """The arguments that name the subfolders of your own folder."""
    return {name: FLAGS[name].value for name in FOLDERS}


def image_options():
    """The arguments that describe the images in the files."""
    image_range = numbers("image_range", float)
    return {"image_channels": FLAGS.image_channels, "image_range": image_range}


def numbers(name, kind=int, counts=(2,)):
    """The numbers in a flag, as a tuple; `None` if it is not set."""
    texts = FLAGS[name].value
    try:
        found = None if texts is None else tuple(map(kind, texts))
    except ValueError:
        found = ()
    if found is not None and len(found) not in counts:
        wanted = ("one or " if 1 in counts else "") + ("two whole" if kind is int else "two")
        raise ValueError(f"--{name}={','.join(texts)}: expected {wanted} numbers.")
    return found


def refuse(names, why):
    """Refuses flags that would be ignored."""
    for name in names:
        if FLAGS[name].present:
            raise ValueError(f"--{name} {why}")


def refuse_with_dataset(*names):
    """Refuses flags for your own folders together with --dataset."""
    refuse(names, "is for your own folders; --dataset has its own.")


def data_options(text, taken=()):
    """The dict in the flag, which must not contain any name in `taken`."""
    try:
        options = ast.literal_eval(text)
        if not isinstance(options, dict) or not all(isinstance(name, str) for name in options):
            raise TypeError("its keys must be names")
        if "label_mapping" in options:
            options["label_mapping"] = datasets.LabelMapping(**options["label_mapping"])
    except (ValueError, SyntaxError, TypeError) as error:
        raise ValueError(f"--data_options={text} is not a dict of arguments: {error}") from None
    for name in ("directory", *taken):
        if name in options:
            raise ValueError(f"--data_options: {name} is not accepted here, or has its own flag.")
    return options


def load(name, directory, **arguments):
    """The dataset `name` of `keras_spade.datasets`."""
    try:
        return getattr(datasets, name)(directory, **arguments)
    except (TypeError, ValueError) as error:  # TypeError: an unknown argument.
        raise ValueError(f"{name}: {error}") from None


def add_label_mapping(options, generator=None):
    """Adds the label mapping, from the flags or else from the model."""
    void_given = FLAGS["void_label"].present
    known = generator and generator.classes and generator.classes.label_mapping
    if not void_given and "label_mapping" not in options and known is not None:
        options["label_mapping"] = mapping = datasets.LabelMapping(**known)
        if not (mapping.is_plain and mapping.void_labels in ([], [255])):
            print(
                f"Label files are read as in the model's training, with {mapping}; with "
                "--void_label=255, ids are read unchanged."
            )
    if void_given or "label_mapping" not in options:
        options["void_label"] = FLAGS.void_label if FLAGS.void_label >= 0 else None


def own_folder(directory, defaults, generator=None, **options):
    """A folder of photographs and label maps as a dataset; --data_options override `defaults`.

    If there is a `generator`, its label mapping is used, unless flags set another.
    """
    options |= folders()
    options |= data_options(FLAGS.data_options, (*options, "void_label"))
    add_label_mapping(options, generator)
    return load("paired_folders", directory, **{**defaults, **options})


def check_classes(generator, source):
    """Raises an error unless a generator paints the classes of a public dataset."""
    classes, void = source.num_classes, source.void_class
    # Unchanged ids, with 0 as void, are 151 classes or 150 and void: the same channels.
    unshifted = classes == 151 and generator.num_classes == 150 and generator.void_class
    if not unshifted and (classes != generator.num_classes or void > generator.void_class):
        raise ValueError(
            f"The model paints {generator.num_classes} classes"
            f"{' and void' if generator.void_class else ''}, but {source.title} has {classes}"
            f"{' and void' if void else ''}."
        )
    if generator.instance_edges and not source.has_instances:
        raise ValueError(
            f"The model was trained with instance edges, but {source.title} has no instance maps."
        )


# Flags that drawn scenes do not use.
FOR_FOLDERS = (
    *("validation_split", "validation_data", *FOLDERS, "image_channels", "image_range"),
    *("num_classes", "void_label", "void_class", "load_size", "resize", "flip", "data_options"),
)


def define_training_data():
    """Defines the flags for training and validation data."""
    define_sizes()
    flags.DEFINE_string("data", "scenes", "'scenes' (drawn), or a folder with images/ and labels/.")
    flags.DEFINE_string("split", None, "With --dataset: the split to train on.")
    flags.DEFINE_string(
        "validation_split",
        None,
        "For pictures and losses: a share of --data between 0 and 1, chosen by the names of the "
        "files; with --dataset also the name of a split.",
    )
    flags.DEFINE_string("validation_data", None, "A folder like --data, for pictures and losses.")
    flags.DEFINE_integer(
        "num_classes", None, "Number of classes in your own folder, excluding void."
    )
    flags.DEFINE_bool("void_class", False, "Whether void pixels are a separate class.")
    flags.DEFINE_bool("instance_edges", False, "Whether instances/ become an edge channel.")
    flags.DEFINE_list("image_size", ["64", "64"], "height,width of the images the networks see.")
    flags.DEFINE_bool("flip", True, "With folders: mirror training samples at random.")
    flags.DEFINE_integer("num_scenes", 128, "Drawn scenes to train on.", lower_bound=1)
    define_scene_style()
    flags.DEFINE_integer("batch_size", 4, "Samples per step.", lower_bound=1)
    flags.DEFINE_integer("seed", 0, "Seed of weights, data order and noise.")


def training_data():
    """Training and validation batches, the contents of label maps, and colours of the labels."""
    if FLAGS.split and FLAGS.dataset is None:
        raise ValueError("--split is for --dataset; folders have --validation_split=0.1.")
    common = {
        "image_size": numbers("image_size"),
        "batch_size": FLAGS.batch_size,
        "seed": FLAGS.seed,
    }
    if FLAGS.data == "scenes" and FLAGS.dataset is None:
        refuse(FOR_FOLDERS, "requires --data; without it, scenes are drawn.")
        return drawn_scenes(common)
    refuse(["num_scenes", "scene_style"], "is for drawn scenes, without --data.")
    common |= {**sizes(), **image_options()}
    for_training = {"flip": FLAGS.flip, "drop_remainder": True}
    for_validation = {"crop": "center", "shuffle": False}
    if (kept := validation_share()) is not None:
        for_training |= {"validation_split": kept, "subset": "training"}
        for_validation |= {"validation_split": kept, "subset": "validation"}
    training, validation, classes, palette = (own_folders if FLAGS.dataset is None else public)(
        common, for_training, for_validation
    )
    return training, validation, classes | {"instance_edges": FLAGS.instance_edges}, palette


def validation_share():
    """The share of --data held out for validation; `None` if there is none."""
    found = share("validation_split")
    if found is not None and FLAGS.validation_data:
        raise ValueError("--validation_split=share and --validation_data exclude each other.")
    return found


def drawn_scenes(common):
    """The built-in data."""
    common = {**common, "style": FLAGS.scene_style}
    training = datasets.synthetic_scenes(FLAGS.num_scenes, **common)
    validation = datasets.synthetic_scenes(
        32, first_scene=1_000_000, shuffle=False, drop_remainder=False, **common
    )
    classes = {"num_classes": len(datasets.SCENE_CLASSES)}
    classes["instance_edges"] = FLAGS.instance_edges
    return training, validation, classes, datasets.SCENE_PALETTE


def own_folders(common, for_training, for_validation):
    """Folders of photographs and label maps."""
    if FLAGS.num_classes is None:
        raise ValueError("--num_classes is needed with --data.")
    classes = {"num_classes": FLAGS.num_classes, "void_class": FLAGS.void_class}
    common = {**common, **classes, "instances": FLAGS.instance_edges}
    training = own_folder(FLAGS.data, for_training, **common)
    validation = own_folder(FLAGS.validation_data or FLAGS.data, for_validation, **common)
    return training, validation, classes, None


def public(common, for_training, for_validation):
    """A dataset by name, whose classes and void are known."""
    refuse_with_dataset("num_classes", "void_class", "void_label", *FOLDERS)
    if datasets.PUBLIC_DATASETS[FLAGS.dataset].has_instances:
        common = {"instances": FLAGS.instance_edges, **common}
    elif FLAGS.instance_edges:
        raise ValueError(f"--instance_edges: {FLAGS.dataset} has no instance maps.")
    split = {"split": FLAGS.split} if FLAGS.split else {}
    taken = (*common, "split")
    common = {**common, **split, **data_options(FLAGS.data_options, taken)}
    training = load(FLAGS.dataset, FLAGS.data, **{**for_training, **common})
    if FLAGS.validation_split and "subset" not in for_validation:
        common["split"] = FLAGS.validation_split
    validation = FLAGS.validation_data or FLAGS.data
    validation = load(FLAGS.dataset, validation, **{**for_validation, **common})
    source = datasets.source_of(training)
    classes = {"num_classes": source.num_classes, "void_class": source.void_class}
    return training, validation, classes, source.palette
