"""A preset, read from a folder or defined by name."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras

from keras_spade.class_info import ClassInfo
from keras_spade.presets.architectures import ARCHITECTURES, PRESETS

CONFIG, WEIGHTS, CLASSES = "config.json", "model.weights.h5", "classes.json"
METADATA = "metadata.json"
FILES = (CONFIG, METADATA, WEIGHTS, CLASSES)


@dataclass(frozen=True)
class Preset:
    """The config of a generator or of a `GauGAN`, and where its weights are.

    Args:
        name: of the preset, or its folder; for messages.
        config: a serialized Keras model.
        classes: its `ClassInfo`, or `None`.
        weights: the file of weights; `None` for an architecture.
    """

    name: str
    config: dict
    classes: ClassInfo | None
    weights: Path | None

    @property
    def is_gan(self) -> bool:
        """Whether it is a `GauGAN`, which has several networks."""
        return isinstance(self.config["config"].get("generator"), dict)

    def has(self, part: str) -> bool:
        """Whether there is a config for a network; there always is for `"generator"`."""
        return part == "generator" or (self.is_gan and self.config["config"].get(part) is not None)

    def class_of(self, config: dict, kind: type) -> type:
        """Returns the class of a config, which must be `kind` or a subclass.

        Args:
            config: a serialized Keras model.
            kind: the required class.

        Raises:
            ValueError: naming the actual class.
        """
        name = str(config.get("registered_name") or config.get("class_name"))
        found = keras.saving.get_registered_object(name)
        if not (isinstance(found, type) and issubclass(found, kind)):
            way_out = (
                f"Call {found.__name__}.from_preset."
                if isinstance(found, type) and hasattr(found, "from_preset")
                else "To use a class of your own, import its module first, and register the "
                "class with `keras.saving.register_keras_serializable`."
            )
            raise ValueError(
                f"`preset`: {self.name} holds a {name!r}, not a {kind.__name__}. {way_out}"
            )
        return found

    def network(self, part: str, kind: type, load_weights: bool, **changes: Any) -> keras.Model:
        """Builds one of the networks.

        Args:
            part: `"generator"`, `"discriminator"` or `"encoder"`.
            kind: the required class.
            load_weights: whether to read its weights, if the file has them. It must have those of
                generator and encoder.
            **changes: constructor arguments that override the preset's.

        Raises:
            ValueError: if it has another class; if the weights cannot be read, or do not fit.
        """
        config = self.config["config"].get(part) if self.is_gan else self.config
        if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
            raise ValueError(f"`preset`: the config of {self.name} has no {part}.")
        found = self.class_of(config, kind)
        _check_objects(config, self.name)
        arguments = {**config["config"], **changes}
        same_classes = arguments.get("num_classes") == config["config"].get("num_classes")
        if not same_classes:
            arguments.pop("classes", None)
        try:
            network = found.from_config(arguments)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(
                f"`preset`: {self.name} with the given arguments is not a valid {found.__name__}: "
                f"{error!r}."
            ) from error
        if part == "generator" and same_classes and self.classes is not None:
            network.classes = self.classes
        if load_weights:
            self._load(network, part)
        return network

    def _load(self, network, part):
        """Loads the weights of a network; a discriminator keeps its own if the file has none."""
        try:
            with h5py.File(self.weights, "r") as file, tempfile.TemporaryDirectory() as folder:
                if not self.is_gan:
                    network.load_weights(self.weights)
                elif isinstance(file.get(part), h5py.Group):
                    path = Path(folder) / WEIGHTS
                    with h5py.File(path, "w") as alone:
                        for name in file[part]:
                            file.copy(file[part][name], alone, name)
                    network.load_weights(path)
                elif part != "discriminator":
                    raise ValueError("it holds no weights for it.")
        except (OSError, RuntimeError) as error:
            raise ValueError(f"{self.weights} cannot be read: {error}") from error
        except (KeyError, ValueError) as error:
            raise ValueError(f"{self.weights} does not fit the {part}: {error}") from error


def find_preset(preset: str | os.PathLike, load_weights: bool = True) -> Preset:
    """Finds a preset by name, folder or address.

    Args:
        preset: a name in `PRESETS`; the path of a folder; or `"hf://user/repository"`.
        load_weights: whether weights are required.

    Raises:
        ValueError: if there is none, it cannot be read, or lacks required weights.
        ImportError: for an `hf://` address, naming the library to install.
    """
    name = str(preset)
    shipped = Path(__file__).parent / name
    if name in ARCHITECTURES:
        found = ARCHITECTURES[name]
        if load_weights:
            with_weights = [other for other in PRESETS if other not in ARCHITECTURES]
            raise ValueError(
                f"`preset`: {name!r} is an architecture without trained weights. With "
                "load_weights=False it gets random weights for training. Presets with weights: "
                f"{', '.join(with_weights)}."
            )
        return Preset(name, found.config(), found.classes(), None)
    if name in PRESETS:
        return _read(shipped)
    if name.startswith("hf://"):
        return _read(_downloaded(name))
    if "://" in name:
        raise ValueError(
            f"`preset`: {name!r}: Keras reads hf://user/repository; from other hosts, download the "
            "folder first (kagglehub.model_download for Kaggle), and pass its path."
        )
    if not Path(preset).is_dir():
        way_out = "keras.saving.load_model reads it. " if name.endswith(".keras") else ""
        raise ValueError(
            f"`preset`: {name!r} is neither the name of a preset nor a folder. {way_out}"
            f"Names: {', '.join(PRESETS)}."
        )
    return _read(Path(preset))


def _downloaded(address):
    """The local folder of a repository on the Hugging Face Hub, downloaded as Keras does."""
    try:
        import huggingface_hub
    except ImportError:
        raise ImportError(
            f"`preset`: {address} needs the library that Keras uses to read it: pip install "
            "huggingface_hub."
        ) from None
    repository = address.removeprefix("hf://")
    folder = huggingface_hub.snapshot_download(
        repository, allow_patterns=list(FILES), library_name="keras"
    )
    return Path(folder)


def _read(folder):
    config = _json(folder / CONFIG)
    if not isinstance(config.get("config"), dict):
        raise ValueError(f"{folder / CONFIG} is not the config of a model.")
    classes = None
    if (folder / CLASSES).exists():
        try:
            classes = ClassInfo.from_json(_json(folder / CLASSES))
        except ValueError as error:
            raise ValueError(f"{folder / CLASSES}: {error}") from error
    return Preset(str(folder), config, classes, folder / WEIGHTS)


def _json(path):
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"`preset`: {path.parent} is not a preset: it has no {path.name}."
        ) from None
    except (OSError, RecursionError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(found).__name__}.")
    return found


def _check_objects(config, name):
    """Raises for objects in a config that are neither part of Keras nor registered."""
    if isinstance(config, dict):
        module, registered = str(config.get("module")), config.get("registered_name")
        if "class_name" in config and module.split(".")[0] != "keras":
            if registered is None or keras.saving.get_registered_object(registered) is None:
                raise ValueError(
                    f"`preset`: {name} holds a {module}.{config['class_name']}, which is neither "
                    "part of Keras nor registered with it."
                )
        config = list(config.values())
    if isinstance(config, list):
        for value in config:
            _check_objects(value, name)
