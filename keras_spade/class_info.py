"""Names, colours and label mapping of the classes that a model paints."""

import operator
from collections.abc import Mapping, Set
from dataclasses import dataclass

MAPPING_ARGUMENTS = ("palette", "remap", "offset", "void_labels")
MAPPING_WORDS = (("palette", "grey"), ("void_labels", "auto"))


@dataclass(frozen=True)
class ClassInfo:
    """Names and colours of the classes, and how label files are read.

    It is the attribute `classes` of a generator and of a `GauGAN`; files, presets and copies
    keep it. `GauGAN.fit` takes it from the dataset, if the dataset has it.

    Args:
        names: one name per class, void not counted; `None`: unknown.
        palette: `(r, g, b)` of each class, integers in 0..255; `None`: unknown.
        label_mapping: a `datasets.LabelMapping`, or its arguments as a dict; `None`: unknown.

    Attributes:
        names: tuple of str, or `None`.
        palette: tuple of tuples of three ints, or `None`.
        label_mapping: the arguments of a `datasets.LabelMapping`, a dict, or `None`.

    Raises:
        ValueError: naming the invalid argument.

    Example:

    >>> from keras_spade import ClassInfo, SPADEGenerator
    >>> generator = SPADEGenerator(2, (32, 32, 3), latent_dim=None, base_filters=1)
    >>> generator.classes = ClassInfo(("sky", "sea"), [(135, 190, 235), (45, 105, 185)])
    >>> generator.classes.names
    ('sky', 'sea')
    """

    names: tuple[str, ...] | None = None
    palette: tuple[tuple[int, int, int], ...] | None = None
    label_mapping: dict | None = None

    def __post_init__(self):
        names = None if self.names is None else _names(self.names)
        palette = None if self.palette is None else _palette("palette", self.palette)
        if None not in (names, palette) and len(names) != len(palette):
            raise ValueError(
                f"`palette` must have a colour for each of the {len(names)} `names`, got "
                f"{len(palette)} colours."
            )
        mapping = None if self.label_mapping is None else _mapping(self.label_mapping)
        for field, value in (("names", names), ("palette", palette), ("label_mapping", mapping)):
            object.__setattr__(self, field, value)

    def check(self, num_classes: int) -> None:
        """Raises unless there are names and colours for `num_classes` classes.

        Args:
            num_classes: number of classes, void not counted.

        Raises:
            ValueError: naming the field of another length.
        """
        for field in ("names", "palette"):
            found = getattr(self, field)
            if found is not None and len(found) != num_classes:
                raise ValueError(
                    f"`classes`: {field} of {len(found)} classes, but the generator has "
                    f"{num_classes}; void is not counted."
                )

    def to_json(self) -> dict:
        """Returns the input of `from_json`: lists, dicts, strings and numbers only."""
        fields = {
            "names": self.names and list(self.names),
            "palette": self.palette and [list(color) for color in self.palette],
            "label_mapping": None if self.label_mapping is None else _json(self.label_mapping),
        }
        return {name: value for name, value in fields.items() if value is not None}

    @classmethod
    def from_json(cls, data: dict | None) -> "ClassInfo | None":
        """Reads the result of `to_json`, also after a round trip through a JSON file.

        Args:
            data: the dict; `None` gives `None`.

        Raises:
            ValueError: for anything else.
        """
        if data is None:
            return None
        known = ("names", "palette", "label_mapping")
        if not isinstance(data, Mapping) or set(data) - set(known):
            raise ValueError(
                f"classes must be a dict with some of {', '.join(known)}, got {data!r}"
            )
        return cls(**data)


def _names(names):
    texts = () if isinstance(names, (str, Mapping, Set)) else _as_tuple(names)
    if not texts or not all(isinstance(name, str) and name for name in texts):
        raise ValueError(f"`names` must be a sequence of strings, one per class, got {names!r}.")
    return tuple(map(str, texts))


def _palette(argument, palette):
    try:
        colors = tuple(tuple(map(operator.index, color)) for color in palette)
    except TypeError:
        colors = ()
    if not colors or not all(len(c) == 3 and 0 <= min(c) and max(c) <= 255 for c in colors):
        raise ValueError(
            f"`{argument}` must be a sequence of (r, g, b), integers in 0..255, got {palette!r}."
        )
    return colors


def _mapping(given):
    """The arguments of a `LabelMapping` as Python objects, whether they come from JSON or not."""
    arguments = getattr(given, "arguments", given)
    if not isinstance(arguments, Mapping) or set(arguments) - set(MAPPING_ARGUMENTS):
        raise ValueError(
            "`label_mapping` must be a LabelMapping, or a dict of its arguments "
            f"{', '.join(MAPPING_ARGUMENTS)}, got {given!r}."
        )
    found = {}
    for name, value in arguments.items():
        try:
            found[name] = _argument(name, value)
        except (AttributeError, IndexError, TypeError, ValueError):
            raise ValueError(f"`label_mapping`: {name} must not be {value!r}.") from None
    return found


def _argument(name, value):
    if value is None or (isinstance(value, str) and (name, value) in MAPPING_WORDS):
        return value
    if name == "remap":
        return {int(number): operator.index(place) for number, place in value.items()}
    if name == "palette":
        pairs = list(value.items() if isinstance(value, Mapping) else value)
        if len(pairs[0]) == 2:  # A dict in JSON.
            colors = _palette(name, [color for color, _ in pairs])
            return dict(zip(colors, (operator.index(n) for _, n in pairs), strict=True))
        return _palette(name, pairs)
    if name == "void_labels" and not hasattr(value, "__index__"):
        return tuple(map(operator.index, value))
    return operator.index(value)


def _json(mapping):
    found = {}
    for name, value in mapping.items():
        if name == "remap" and value is not None:
            value = {str(number): place for number, place in value.items()}
        elif isinstance(value, Mapping):
            value = [[list(color), number] for color, number in value.items()]
        elif isinstance(value, tuple):
            value = [list(color) if isinstance(color, tuple) else color for color in value]
        found[name] = value
    return found


def _as_tuple(values):
    try:
        return tuple(values)
    except TypeError:
        return ()
