"""The flag --data_options of the scripts: further arguments of the function that loads the data."""

import ast

from absl import app

from keras_spade import datasets

NAMED = list(datasets.PUBLIC_DATASETS)

HELP = (
    "Further arguments of the function that loads the data, as a Python dict, such as "
    "\"{'counting': 'unshifted'}\"; a label_mapping is the dict of its arguments."
)


def data_options(text, taken=()):
    """The dict that the flag holds; of the names in `taken` none may be in it."""
    try:
        options = ast.literal_eval(text)
        if not isinstance(options, dict) or not all(isinstance(name, str) for name in options):
            raise TypeError("its keys must be names")
        if "label_mapping" in options:
            options["label_mapping"] = datasets.LabelMapping(**options["label_mapping"])
    except (ValueError, SyntaxError, TypeError) as error:
        raise app.UsageError(f"--data_options={text} is no dict of arguments: {error}") from None
    for name in ("directory", *taken):
        if name in options:
            raise app.UsageError(f"--data_options: {name} is not for it, or has a flag of its own.")
    return options


def load(name, directory, **arguments):
    """The dataset `name` of `keras_spade.datasets`."""
    try:
        return getattr(datasets, name)(directory, **arguments)
    except (TypeError, ValueError) as error:  # TypeError: an argument that it does not have.
        raise app.UsageError(f"{name}: {error}") from None
