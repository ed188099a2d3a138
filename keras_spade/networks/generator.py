"""The base class of generators."""

import os
from collections.abc import Mapping
from typing import Any, Self

from keras_spade.class_info import ClassInfo
from keras_spade.exporting import Export
from keras_spade.networks._network import Network
from keras_spade.presets import PRESETS, find_preset, save_preset


class Generator(Network):
    """A network that paints an image from a label map: the `generator` of a `GauGAN`.

    `SPADEGenerator` is one. A subclass is a functional model that sets the attributes below, with
    the same names as its constructor's arguments, and lists all arguments in `ARGUMENTS`. It takes
    the same inputs as `SPADEGenerator` (`Conditioning` makes those for label maps) and returns
    images in [-1, 1]. It then trains, paints, saves and exports like `SPADEGenerator`.
    `examples/paper/networks` contains five examples.

    Attributes:
        num_classes: number of label classes, excluding the void class.
        image_shape: `(height, width, channels)` of the images.
        void_class: whether an additional class, id `num_classes`, means "don't care".
        instance_edges: whether it has the input `"edges"`.
        latent_dim: size of the input `"latent"`, or `None`.
        spectral_norm: whether any kernel is spectrally normalised.
        conditioning: `"labels"`, or `"dense"` for the input `"segmap"`.
        modulation: how label maps are convolved; see `SPADE`.
        presets: descriptions of the named presets, by name.
    """

    num_classes: int
    image_shape: tuple[int, int, int]
    void_class: bool
    instance_edges: bool
    latent_dim: int | None
    spectral_norm: bool
    conditioning: str
    modulation: str
    presets: Mapping[str, str] = PRESETS
    _classes = None

    @property
    def classes(self) -> ClassInfo | None:
        """Names, colours and label mapping of the classes; `None`: unknown."""
        return self._classes

    @classes.setter
    def classes(self, classes: ClassInfo | None) -> None:
        if classes is not None:
            if not isinstance(classes, ClassInfo):
                raise ValueError(f"`classes` must be a ClassInfo or None, got {classes!r}.")
            classes.check(self.num_classes)
        self._classes = classes

    def get_config(self):
        """The constructor's arguments, the frozen parts, and `classes` if known."""
        config = super().get_config()
        return config if self.classes is None else {**config, "classes": self.classes.to_json()}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Builds the generator from `get_config()`."""
        classes = ClassInfo.from_json(config.get("classes"))
        config = {name: value for name, value in config.items() if name != "classes"}
        network = super().from_config(config, custom_objects)
        network.classes = classes
        return network

    @classmethod
    def from_preset(
        cls, preset: str | os.PathLike, load_weights: bool = True, **kwargs: Any
    ) -> Self:
        """Builds a generator from a preset, of a generator or of a `GauGAN`.

        Args:
            preset: a name in `presets`; a folder written by `save_to_preset` or
                `save(folder, zipped=False)`; or `"hf://user/repository"` of such a
                folder, which needs the library `huggingface_hub`. (If a folder has the same name
                as a preset, pass `"./name"`.)
            load_weights: `False`: random weights. Architectures have no trained weights.
            **kwargs: constructor arguments that override the preset's, such as `dtype`.

        Returns:
            A generator, with the preset's `classes`.

        Raises:
            ValueError: if there is no such preset, it is of another kind, it cannot be read, or
                has no weights but `load_weights` is True.
            ImportError: for an `hf://` address, naming the library to install.

        Example:

        >>> from keras_spade import SPADEGenerator
        >>> generator = SPADEGenerator.from_preset("facades_128_tiny", load_weights=False)
        >>> generator.classes.names[:3]
        ('background', 'facade', 'window')
        """
        return find_preset(preset, load_weights).network("generator", cls, load_weights, **kwargs)

    def save_to_preset(self, preset_dir: str | os.PathLike, dtype: str | None = None) -> None:
        """Writes a folder from which `from_preset` rebuilds the generator.

        It holds `config.json`, `model.weights.h5`, `classes.json` if `classes` are known, and
        `metadata.json`.

        Args:
            preset_dir: a new or empty folder, or a preset, which is replaced after a complete
                write.
            dtype: `None` or `"float16"`, as in `GauGAN.save_to_preset`.

        Raises:
            ValueError: for another dtype; if the folder holds other files.
            OSError: if it cannot be written; existing content is unchanged.
        """
        if self.writes_files:
            save_preset(preset_dir, self, {"": self}, self.classes, dtype)

    def export(
        self,
        path: str | os.PathLike,
        format: str = "tf_saved_model",
        image_size: tuple[int, int] | None = None,
        averaged: bool | str = "auto",
        verbose: bool | None = None,
        **options: Any,
    ) -> None:
        """Exports as `GauGAN.export` does; a network alone has no averages of its weights.

        Args:
            path: as in `GauGAN.export`, like all other arguments.
            format: `"tf_saved_model"`, `"onnx"` or `"litert"`.
            image_size: `(height, width)` of the label maps.
            averaged: `"auto"` or `False`.
            verbose: whether to print where the file is.
            **options: of the format.

        Raises:
            ValueError: naming the invalid argument.
            ImportError: naming the packages to install.
            RuntimeError: if the generator cannot be converted; nothing is written then.
        """
        if averaged not in ("auto", False):
            raise ValueError(
                f"`averaged` must be 'auto' or False, got {averaged!r}: a generator alone has no "
                "averages of its weights; call the GauGAN's `export`."
            )
        Export(path, format, image_size, verbose, options).write(self)
