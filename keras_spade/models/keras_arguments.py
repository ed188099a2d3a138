"""Refusing Keras' arguments that are redundant or meaningless for a GAN."""

import os
from collections.abc import Mapping
from typing import Any

import keras

from keras_spade.arguments import positive_integer, samples_by_name

WEIGHTS = {
    "sample_weight": "A discriminator judges whole batches, so no sample has a loss of its own. "
    "Omit it; to train more on some samples than on others, repeat them in the data",
    "class_weight": "Classes are painted, not predicted, so no loss has classes. Omit it; "
    "to train more on rare classes, repeat the samples that show them",
}
INSTEAD = {
    "optimizer": "a GauGAN has two: pass `generator_optimizer` and `discriminator_optimizer`",
    "loss": "the losses are `adversarial_loss` and `perceptual_loss`, plus feature matching and "
    "KL divergence",
    "loss_weights": "pass `feature_matching_weight`, `perceptual_weight` and `kl_weight`",
    "metrics": "the losses are logged by name, and Keras' metrics compare outputs with targets "
    "that they should equal. To log another number, compute it from `gan.generate(labels)` in a "
    "callback's `on_epoch_end(epoch, logs)` and add it to `logs`; `EarlyStopping` and "
    "`ModelCheckpoint` later in the list can monitor it",
}
INSTEAD["weighted_metrics"] = INSTEAD["metrics"]


def refuse_weights(**weights: Any) -> None:
    """Raises if weights of samples or classes are given.

    Args:
        **weights: `sample_weight` and `class_weight` of Keras' loops.

    Raises:
        ValueError: naming it.
    """
    for argument, value in weights.items():
        if value is not None:
            raise ValueError(f"`{argument}` is not used by a GauGAN. {WEIGHTS[argument]}.")


def refuse_weights_of(argument: str, data: Any) -> None:
    """Raises if data contain weights of samples: a tuple of three, or a dataset of these.

    Args:
        argument: the name of Keras' argument.
        data: its value.

    Raises:
        ValueError: naming the argument.
    """
    data = getattr(data, "element_spec", data)
    if isinstance(data, (tuple, list)) and len(data) == 3 and data[2] is not None:
        raise ValueError(
            f"`{argument}` holds (x, y, sample_weight), and `sample_weight` is not used by a "
            f"GauGAN. {WEIGHTS['sample_weight']}."
        )


def refuse_batch_size(argument: str, batch_size: int | None, data: Any) -> None:
    """Raises if a batch size is given for data already in batches, where Keras ignores it.

    Args:
        argument: its name.
        batch_size: its value.
        data: arrays in any structure, or a dataset.

    Raises:
        ValueError: naming the argument.
    """
    if batch_size is not None:
        positive_integer(f"`{argument}`", batch_size)
    if batch_size is not None and not _arrays(data):
        raise ValueError(
            f"`{argument}` is for arrays; a {type(data).__name__} has batches of its own size. "
            "Omit it, and set the batch size of the data."
        )


def check_data(argument: str, x: Any, y: Any = None) -> None:
    """Raises for anything that is not data, and for arrays with different numbers of samples.

    Args:
        argument: its name.
        x: as in `fit`, or a pair of label maps and photographs.
        y: as in `fit`.

    Raises:
        ValueError: naming the argument.
    """
    if x is None or isinstance(x, (str, os.PathLike)):
        raise ValueError(
            f"`{argument}` must be arrays or a dataset, got {x!r}. To read files, use "
            "keras_spade.datasets.paired_folders."
        )
    named = samples_by_name(x, key="x") | {"y": y}
    named = {name: value for name, value in named.items() if value is not None}
    if not all(tuple(getattr(value, "shape", ())) for value in named.values()):
        return
    counts = {name: value.shape[0] for name, value in named.items()}
    if len(set(counts.values())) > 1 or 0 in counts.values():
        raise ValueError(
            f"`{argument}` must hold arrays with the same number of samples, at least 1; got "
            f"{counts}."
        )


def refuse_unused_validation(
    x: Any, validation_split: float | None, validation_data: Any, **details: Any
) -> None:
    """Raises for validation arguments of `fit` that Keras would ignore or misread.

    Args:
        x: as in `fit`.
        validation_split: as in `fit`.
        validation_data: as in `fit`.
        **details: `validation_steps` and `validation_batch_size`.

    Raises:
        ValueError: naming the argument.
    """
    if not 0 <= (validation_split or 0) < 1:
        raise ValueError(
            "`validation_split` must be the share of the samples that is kept for validation, "
            f"below 1, got {validation_split!r}."
        )
    if validation_split and not _arrays(x):
        raise ValueError(
            "`validation_split` is for arrays. For datasets, pass `validation_data`; "
            "keras_spade.datasets split files by `validation_split` and `subset` of their own."
        )
    if validation_split and validation_data is not None:
        raise ValueError("`validation_split` and `validation_data`: pass only one of the two.")
    for argument, value in details.items():
        if value is not None and not validation_split and validation_data is None:
            raise ValueError(f"`{argument}` is given, but neither validation data nor a split.")


def checked_arguments_of_fit(
    *,
    x: Any,
    y: Any,
    batch_size: int | None,
    validation_split: float | None,
    validation_data: Any,
    **others: Any,
) -> dict[str, Any]:
    """Checks the data arguments of `fit`; returns all arguments, with a pair as `x` split.

    Args:
        x: as in `fit`.
        y: as in `fit`.
        batch_size: as in `fit`.
        validation_split: as in `fit`.
        validation_data: as in `fit`.
        **others: the other arguments of `fit`, except weights.

    Raises:
        ValueError: naming the argument.
    """
    refuse_weights_of("x", x)
    refuse_weights_of("validation_data", validation_data)
    details = {name: others[name] for name in ("validation_steps", "validation_batch_size")}
    refuse_unused_validation(x, validation_split, validation_data, **details)
    refuse_batch_size("batch_size", batch_size, x)
    refuse_batch_size("validation_batch_size", details["validation_batch_size"], validation_data)
    x, y = maps_and_images(x, y)
    check_data("x", x, y)
    validation = maps_and_images(*keras.utils.unpack_x_y_sample_weight(validation_data)[:2])
    if validation_data is not None:
        check_data("validation_data", *validation)
    return others | {
        "x": x,
        "y": y,
        "batch_size": batch_size,
        "validation_split": validation_split,
        "validation_data": validation_data,
        "validation_batch_size": details["validation_batch_size"] or batch_size,
    }


def maps_and_images(x: Any, y: Any) -> tuple[Any, Any]:
    """Returns the arguments `x` and `y` of Keras' loops; a pair passed as `x` is split.

    Args:
        x: a dict, label maps, a pair of label maps and photographs, or a dataset.
        y: photographs, or `None`.

    Returns:
        `x` and `y`.

    Raises:
        ValueError: if photographs are passed twice, or not as an array.
    """
    if y is None and isinstance(x, (tuple, list)) and len(x) == 2:
        x, y = x
    if isinstance(x, dict):
        refuse_weights(**{argument: x[argument] for argument in WEIGHTS if argument in x})
    if isinstance(x, (tuple, list)):
        raise ValueError(
            f"`x` must be a dict or the label maps, got a {type(x).__name__} of {len(x)}. Pass "
            '{"labels": ..., "image": ...}, or the label maps as `x` and the photographs as `y`.'
        )
    if y is not None and isinstance(x, dict) and x.get("image") is not None:
        raise ValueError(
            "`y` holds photographs, and so does the key 'image' of `x`. Pass only one of the two."
        )
    if isinstance(y, (dict, tuple, list)):
        raise ValueError(f"`y` must be the photographs, an array; got a {type(y).__name__}.")
    return x, y


def refuse_of_compile(arguments: Mapping[str, Any]) -> None:
    """Raises for arguments of `keras.Model.compile` that `GauGAN.compile` lacks.

    Args:
        arguments: by name.

    Raises:
        ValueError: for Keras' arguments, naming an alternative.
        TypeError: for any others, as in Python.
    """
    for argument, value in arguments.items():
        if argument not in INSTEAD:
            raise TypeError(f"GauGAN.compile() got an unexpected keyword argument '{argument}'")
        if value is not None:
            raise ValueError(f"`compile({argument}=...)`: {INSTEAD[argument]}.")


def _arrays(data):
    """Whether data are arrays in any structure, and not a dataset."""
    return all(leaf is None or hasattr(leaf, "shape") for leaf in keras.tree.flatten(data))
