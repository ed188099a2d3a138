"""What the scripts share: flags that say where the data is, and errors told in one line."""

import ast
import sys

from absl import app, flags

from keras_spade import datasets

NAMED = list(datasets.PUBLIC_DATASETS)
FOLDERS = ("image_folder", "label_folder", "instance_folder")

flags.DEFINE_string("image_folder", "images", "Where in --data the photographs are; also */images.")
flags.DEFINE_string("label_folder", "labels", "Where in --data the label maps are.")
flags.DEFINE_string("instance_folder", "instances", "Where in --data instance maps are, if any.")
flags.DEFINE_enum("dataset", None, NAMED, "Which public dataset --data is; else your own folder.")
flags.DEFINE_integer("image_channels", 3, "1: grey; 3: RGB; else as many as the image files have.")
flags.DEFINE_list(
    "image_range", None, "low,high: the numbers of deep image files that become black and white."
)
flags.DEFINE_integer("void_label", 255, "The id in the label files of 'don't care'; below 0: none.")
flags.DEFINE_string(
    "data_options",
    "{}",
    "Further arguments of the function that loads the data, as a Python dict, such as "
    "\"{'counting': 'unshifted'}\"; a label_mapping is the dict of its arguments.",
)


def run(main):
    """Runs a script; what is wrong with flags or data is told in one line, without a traceback."""

    def told(argv):
        try:
            if len(argv) > 1:
                raise ValueError(f"Unknown arguments: {argv[1:]}")
            return main(argv)
        except (ValueError, OSError) as error:
            message = error
        except RuntimeError as error:
            if type(error) is not RuntimeError:  # Of its kinds, some tell of mistakes in a program.
                raise
            message = error
        sys.exit(f"{sys.argv[0]}: {message}{_flag_of_mapping(str(message))}")

    app.run(told)


def _flag_of_mapping(message):
    """How a script takes the label mapping that a message speaks of."""
    if "LabelMapping(" not in message:
        return ""
    return (
        "; here as --data_options=\"{'label_mapping': {'offset': -1}}\", a dict of its arguments, "
        "in every script alike"
    )


def define_sizes():
    """The flags that say how files get the size of the images the networks see."""
    flags.DEFINE_list(
        "load_size",
        None,
        "With folders: height,width before the crop, or one number; see --resize.",
    )
    flags.DEFINE_enum(
        "resize",
        "stretch",
        ["stretch", "scale_width", "scale_short_side", "none"],
        "With folders: what --load_size is; scale_... keep the ratio of width to height.",
    )


def sizes():
    """The arguments of `define_sizes`."""
    load_size = numbers("load_size", int, (1, 2))
    if load_size is not None and len(load_size) == 1:
        (load_size,) = load_size
    return {"load_size": load_size, "resize": flags.FLAGS.resize}


def share(name):
    """The share of a folder that a flag asks for; `None` if it names a split, or is not given."""
    text = flags.FLAGS[name].value
    try:
        return float(text or "")
    except ValueError:
        if text and flags.FLAGS.dataset is None:
            raise ValueError(
                f"--{name}={text} must be a share between 0 and 1 of your own folder; names of "
                "splits are for --dataset."
            ) from None
    return None


def folders():
    """The arguments that name the folders of a folder of one's own."""
    return {name: flags.FLAGS[name].value for name in FOLDERS}


def image_options():
    """The arguments that say which images the files hold."""
    image_range = numbers("image_range", float)
    return {"image_channels": flags.FLAGS.image_channels, "image_range": image_range}


def numbers(name, kind=int, counts=(2,)):
    """The numbers that a flag lists, as a tuple; `None` if it is not given."""
    texts = flags.FLAGS[name].value
    try:
        found = None if texts is None else tuple(map(kind, texts))
    except ValueError:
        found = ()
    if found is not None and len(found) not in counts:
        wanted = ("one or " if 1 in counts else "") + ("two whole" if kind is int else "two")
        raise ValueError(f"--{name}={','.join(texts)}: want {wanted} numbers.")
    return found


def refuse(names, why):
    """Refuses flags that would be dropped."""
    for name in names:
        if flags.FLAGS[name].present:
            raise ValueError(f"--{name} {why}")


def refuse_with_dataset(*names):
    """Refuses flags for folders of one's own beside --dataset."""
    refuse(names, "is for your own folders; --dataset has its own.")


def data_options(text, taken=()):
    """The dict that the flag holds; of the names in `taken` none may be in it."""
    try:
        options = ast.literal_eval(text)
        if not isinstance(options, dict) or not all(isinstance(name, str) for name in options):
            raise TypeError("its keys must be names")
        if "label_mapping" in options:
            options["label_mapping"] = datasets.LabelMapping(**options["label_mapping"])
    except (ValueError, SyntaxError, TypeError) as error:
        raise ValueError(f"--data_options={text} is no dict of arguments: {error}") from None
    for name in ("directory", *taken):
        if name in options:
            raise ValueError(f"--data_options: {name} is not for it, or has a flag of its own.")
    return options


def load(name, directory, **arguments):
    """The dataset `name` of `keras_spade.datasets`."""
    try:
        return getattr(datasets, name)(directory, **arguments)
    except (TypeError, ValueError) as error:  # TypeError: an argument that it does not have.
        raise ValueError(f"{name}: {error}") from None


def own_folder(directory, defaults, **options):
    """A folder of photographs and label maps, as a dataset; --data_options replace `defaults`."""
    options |= {
        "void_label": flags.FLAGS.void_label if flags.FLAGS.void_label >= 0 else None,
        **folders(),
    }
    options |= data_options(flags.FLAGS.data_options, options)
    if "label_mapping" in options and not flags.FLAGS["void_label"].present:
        del options["void_label"]
    return load("paired_folders", directory, **{**defaults, **options})


def check_classes(generator, source):
    """Raises unless a generator paints the classes of a public dataset."""
    classes, void = source.num_classes, source.void_class
    # Ids as in the files, 0 being void, are 151 classes or 150 and void: the same channels.
    unshifted = classes == 151 and generator.num_classes == 150 and generator.void_class
    if not unshifted and (classes != generator.num_classes or void > generator.void_class):
        raise ValueError(
            f"The model paints {generator.num_classes} classes"
            f"{' and void' if generator.void_class else ''}, {source.title} has {classes}"
            f"{' and void' if void else ''}."
        )
    if generator.instance_edges and not source.has_instances:
        raise ValueError(
            f"The model was trained with instance edges, {source.title} has no instance maps."
        )
