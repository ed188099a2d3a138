"""Atomic file writes."""

import contextlib
import errno
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:  # Datasets are read without Keras.
    import keras


@contextlib.contextmanager
def replacing(path: str | os.PathLike, size: int = 0) -> Iterator[Path]:
    """Yields a temporary path next to `path`, and moves the file written there to `path`.

    Readers of `path` find either the old file or the new one, even if the process is killed in
    between, the disk is full or the power fails. The next write overwrites what a killed process
    left behind.

    Args:
        path: of the file.
        size: lower bound of the bytes to write; free disk space is checked first.

    Raises:
        OSError: naming `path`, if it could not be written; `path` is unchanged then.

    Example:

    >>> import pathlib, tempfile
    >>> from keras_spade.files import replacing
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "numbers.txt"
    >>> with replacing(path) as partial:
    ...     _ = partial.write_text("42")
    >>> path.read_text()
    '42'
    """
    # Keep suffixes: Keras derives formats from them.
    name = f".partial_{Path(path).name}"
    path = Path(os.path.realpath(path))  # Replace the target of a link, not the link.
    partial = path.with_name(name)
    try:
        disk = shutil.disk_usage(path.parent)
        if disk.free < size and disk.total:  # Some network file systems report 0.
            message = f"{size:,} bytes are needed, {disk.free:,} are free"
            raise OSError(errno.ENOSPC, message)
        yield partial
        _flush(partial)
        with contextlib.suppress(OSError):
            shutil.copymode(path, partial)
        os.replace(partial, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if not isinstance(error, OSError):
            raise
        state = "the old file is unchanged" if path.exists() else "there is no such file"
        raise _not_written(error, path, state) from error
    with contextlib.suppress(OSError):  # Not every system can flush a directory.
        _flush(path.parent, os.O_RDONLY)


@contextlib.contextmanager
def replacing_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Does for a folder what `replacing` does for a file; all old content is removed.

    No system call replaces a folder that holds files. So for an instant there is none at `path`;
    the old one is next to it, and the next call restores it if the process is killed then.

    Args:
        path: of the folder.

    Raises:
        OSError: naming `path`, if it could not be written; `path` is unchanged then.

    Example:

    >>> import pathlib, tempfile
    >>> from keras_spade.files import replacing_folder
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "numbers"
    >>> with replacing_folder(path) as partial:
    ...     partial.mkdir()
    ...     _ = (partial / "one.txt").write_text("1")
    >>> [file.name for file in path.iterdir()]
    ['one.txt']
    """
    path = Path(os.path.realpath(path))
    partial = path.with_name(f".partial_{path.name}")
    old = path.with_name(f".replaced_{path.name}")
    if old.exists() and not path.exists():
        old.rename(path)
    try:
        for left in (partial, old):
            if left.exists():
                shutil.rmtree(left)
        yield partial
        for file in partial.rglob("*"):
            if file.is_file():
                _flush(file)
        if path.exists():
            path.rename(old)
        partial.rename(path)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if old.exists() and not path.exists():
            old.rename(path)
        if not isinstance(error, OSError):
            raise
        state = "the old folder is unchanged" if path.exists() else "there is no such folder"
        raise _not_written(error, path, state) from error
    with contextlib.suppress(OSError):
        _flush(path.parent, os.O_RDONLY)
    shutil.rmtree(old, ignore_errors=True)


def _not_written(error, path, state):
    """An OSError that names `path`, whatever path the system's error names."""
    reason = error.strerror or error
    return OSError(error.errno, f"{path} could not be written, {state}: {reason}")


def _flush(path, mode=os.O_RDWR):
    """Waits until a file is on the disk."""
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_format(
    filepath: str | os.PathLike,
    zipped: bool | None = None,
    save_format: str | None = None,
    include_optimizer: bool = True,
) -> None:
    """Raises unless the arguments of `save` select Keras' native format.

    Args:
        filepath: as in `keras.Model.save`.
        zipped: as in Keras; `False`: a folder.
        save_format: an argument of earlier versions of Keras.
        include_optimizer: likewise; Keras ignores it for `.keras` files.

    Raises:
        ValueError: naming the argument and an alternative.
    """
    name = os.fspath(filepath) if isinstance(filepath, (str, os.PathLike)) else filepath
    instead = (
        'Save the model as "....keras", its weights alone with `save_weights("....weights.h5")`, '
        "or, for use without this package, call `export`."
    )
    lower = str(name).lower()
    if lower.endswith((".h5", ".hdf5", ".hdf", ".he5")):
        reason = "an HDF5 file stores only a model's class name and could not be loaded again"
    elif save_format not in (None, False, "keras"):
        raise ValueError(f"`save_format` must be omitted, got {save_format!r}. {instead}")
    elif not include_optimizer:
        raise ValueError(
            "`include_optimizer` must be omitted: a `.keras` file of a compiled model contains its "
            "optimizers. Load it with `keras.saving.load_model(path, compile=False)`, or save "
            "before `compile`."
        )
    elif not lower.endswith(".keras") and zipped is not False and not lower.startswith("hf://"):
        reason = "that is not a file name of Keras' native format"
    else:
        return
    raise ValueError(f"`filepath`: {name!r}: {reason}. {instead}")


class WholeFiles:
    """A mixin before `keras.Model` in the bases that makes saving atomic.

    With several workers, only the first one saves.
    """

    variables: list  # of `keras.Model`
    writes_files = True  # Whether this process does; another worker may.

    def save(
        self,
        filepath: str | os.PathLike,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Saves the model as Keras does; an existing file is replaced only after a complete write.

        Args:
            filepath: `.keras` file.
            overwrite: as in Keras.
            zipped: as in Keras.
            **kwargs: refused: other formats, and `include_optimizer=False`.

        Raises:
            ValueError: for anything but a `.keras` file (or a folder, with `zipped=False`).
            OSError: if it cannot be written; an existing file is unchanged then.
        """
        check_format(filepath, zipped, **kwargs)
        with self._target(filepath, overwrite and zipped is not False) as path:
            if path is not None:
                super().save(path, overwrite=overwrite, zipped=zipped)

    def save_weights(
        self,
        filepath: str | os.PathLike,
        overwrite: bool = True,
        max_shard_size: float | None = None,
    ) -> None:
        """Saves the weights as Keras does; an existing file is replaced as in `save`.

        Args:
            filepath: `.weights.h5` file.
            overwrite: as in Keras.
            max_shard_size: as in Keras; shards are written in place.

        Raises:
            ValueError: for a file of another name.
            OSError: as in `save`.
        """
        if max_shard_size is None and not str(filepath).endswith(".weights.h5"):
            raise ValueError(f"`filepath`: {str(filepath)!r} must end in '.weights.h5'.")
        with self._target(filepath, overwrite and max_shard_size is None) as path:
            if path is not None:
                super().save_weights(path, overwrite=overwrite, max_shard_size=max_shard_size)

    def quantize(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises: files store the constructor's arguments, which cannot make quantized layers."""
        raise ValueError(
            "`quantize`: a keras_spade model with quantized layers could not be saved. "
            "Export it, and quantize the exported model."
        )

    @contextlib.contextmanager
    def _target(self, filepath, replaces):
        """The path to write to; `None` if another worker writes."""
        if not self.writes_files:
            yield None
        elif not replaces or not isinstance(filepath, (str, os.PathLike)) or "://" in str(filepath):
            yield filepath
        else:
            # 32 bits each.
            size = sum(4 * math.prod(variable.shape) for variable in self.saved_variables())
            with replacing(filepath, size) as partial:
                yield partial

    def saved_variables(self) -> "list[keras.Variable]":
        """The variables stored in a file of the model."""
        return self.variables
