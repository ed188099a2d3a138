"""The part of `export` of `GauGAN` and `SPADEGenerator` that all formats share."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from keras_spade.arguments import positive_integers
from keras_spade.backends import backend
from keras_spade.exporting import litert, onnx, saved_model
from keras_spade.exporting.other_process import write_in_other_process
from keras_spade.exporting.painter import Painter
from keras_spade.files import replacing, replacing_folder

FORMATS = {"tf_saved_model": saved_model, "onnx": onnx, "litert": litert}


@dataclass(frozen=True)
class Export:
    """An export to one of three formats, with all arguments checked in advance.

    Args:
        path: of the file, or, for a SavedModel, of the folder. Existing content is replaced only
            after a complete write; parent folders are created.
        format: `"tf_saved_model"`, `"onnx"` or `"litert"`.
        image_size: `(height, width)` of the label maps, or `None` for any. In LiteRT, whose sizes
            are fixed, `None` means the generator's size.
        verbose: whether to print where the file is; `None` means yes, as in Keras.
        options: further arguments of the format, see its module.

    Raises:
        ValueError: naming the invalid argument.
        ImportError: naming the packages to install.
    """

    path: str | os.PathLike
    format: str
    image_size: tuple[int, int] | None
    verbose: bool | None
    options: dict[str, Any]

    def __post_init__(self):
        if self.format not in FORMATS:
            raise ValueError(
                f"`format` must be one of {tuple(FORMATS)}, got {self.format!r}. For Keras' other "
                "formats, with float images, use `keras.Model.export(generator, path, format)`."
            )
        if self.image_size is not None:
            size = positive_integers("`image_size`", self.image_size, 2, "(height, width) or None")
            object.__setattr__(self, "image_size", size)
        if "input_signature" in self.options:
            raise ValueError(
                "`input_signature` follows from the generator; for label maps of a fixed size pass "
                "`image_size=(height, width)`."
            )
        self._check_path()
        missing = [name for name in self._format.NEEDS if importlib.util.find_spec(name) is None]
        if missing:
            raise ImportError(
                f"`export`: format={self.format!r} needs {' and '.join(missing)}, which cannot be "
                f"imported here: {self._format.INSTALL}"
            )
        if backend.TRACES_TENSORFLOW:  # Otherwise the other process checks them.
            self._format.check(self.options)

    @property
    def _format(self):
        return FORMATS[self.format]

    def _check_path(self):
        """Refuses suffixes of other formats, and paths that must not be replaced."""
        if "://" in str(self.path):
            raise ValueError(f"`path`: {self.path}: write to a local path, and copy it from there.")
        suffix = Path(self.path).suffix
        others = [name for name, module in FORMATS.items() if suffix and suffix == module.SUFFIX]
        if others not in ([], [self.format]):
            raise ValueError(
                f"`path`: {self.path} has the suffix of format={others[0]!r}, but format is "
                f"{self.format!r}."
            )
        path = Path(self.path)
        if self._format.SUFFIX:
            if path.is_dir():
                raise ValueError(f"`path`: {path} is a folder; {self.format} is one file.")
        elif path.exists():
            found = {entry.name for entry in path.iterdir()} if path.is_dir() else {"a file"}
            strange = found - saved_model.CONTENTS
            if strange or (found and "saved_model.pb" not in found):
                raise ValueError(
                    f"`path`: {path} exists and is not only a SavedModel; all of its content would "
                    f"be replaced: {', '.join(sorted(strange or found))}. Pass a new or empty "
                    "folder, or a SavedModel."
                )

    def write(self, generator: keras.Model) -> None:
        """Writes a generator in inference mode, without changing it.

        With several workers, only the first one writes.

        Args:
            generator: a `Generator`.

        Raises:
            OSError: if the file cannot be written.
            RuntimeError: if the generator cannot be converted. In both cases, existing content is
                unchanged.
        """
        if not generator.writes_files:
            return
        if not backend.TRACES_TENSORFLOW:
            write_in_other_process(self, generator)
        else:
            self._write_here(generator)
        if self.verbose or self.verbose is None:
            print(f"Saved artifact at '{self.path}'.")

    def _write_here(self, generator):
        size = self.image_size
        if size is None and self._format is litert:
            size = generator.image_shape[:2]
        painter = Painter(generator.fold_spectral_norm(**self._format.changes(self.options)), size)
        path = Path(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with (replacing if self._format.SUFFIX else replacing_folder)(path) as partial:
            try:
                self._format.write(painter, partial, self.options)
            except OSError:
                raise
            except Exception as error:
                raise RuntimeError(
                    f"`export`: {generator.name!r} could not be converted to {self.format}: {error}"
                ) from error
