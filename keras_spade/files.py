"""Files that are there whole or not at all."""

import contextlib
import errno
import math
import os
import shutil
from pathlib import Path


@contextlib.contextmanager
def replacing(path, size=0):
    """Gives a temporary path beside `path`, and moves what was written there to `path` at the end.

    Whoever opens `path` finds the old file or the new one, also if the process is killed in
    between, the disk is full or the power fails. What a killed process left is overwritten by the
    next.

    Args:
        path: of the file.
        size: bytes that will be written at least; the disk is asked for them beforehand.

    Raises:
        OSError: naming `path`, if it could not be written; it is as it was, then.

    Example:

    >>> import pathlib, tempfile
    >>> from keras_spade.files import replacing
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "numbers.txt"
    >>> with replacing(path) as partial:
    ...     _ = partial.write_text("42")
    >>> path.read_text()
    '42'
    """
    # Suffixes stay: Keras reads formats off them.
    name = f".partial_{Path(path).name}"
    path = Path(os.path.realpath(path))  # What a link leads to is replaced, not the link.
    partial = path.with_name(name)
    try:
        disk = shutil.disk_usage(path.parent)
        if disk.free < size and disk.total:  # Some network file systems do not know.
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
        state = "the file that was there is whole" if path.exists() else "there is no such file"
        raise _not_written(error, path, state) from error
    with contextlib.suppress(OSError):  # Not every system can flush a folder's list of files.
        _flush(path.parent, os.O_RDONLY)


@contextlib.contextmanager
def replacing_folder(path):
    """Does for a folder what `replacing` does for a file; all that was in it goes.

    No call of the system puts a folder in the place of another that holds files. So for an instant
    there is none; the old one stands beside it, and comes back if the process is killed then.

    Args:
        path: of the folder.

    Raises:
        OSError: naming `path`, if it could not be written; it is as it was, then.

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
        state = "what was there is whole" if path.exists() else "there is no such folder"
        raise _not_written(error, path, state) from error
    with contextlib.suppress(OSError):
        _flush(path.parent, os.O_RDONLY)
    shutil.rmtree(old, ignore_errors=True)


def _not_written(error, path, state):
    """The OSError that names the path, whatever the system's own one names."""
    reason = error.strerror or error
    return OSError(error.errno, f"{path} could not be written, {state}: {reason}")


def _flush(path, mode=os.O_RDWR):
    """Waits until a file is on the disk."""
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_format(filepath, zipped=None, save_format=None, include_optimizer=True):
    """Raises unless a model is to be saved in Keras' own format.

    Args:
        filepath: as in `keras.Model.save`.
        zipped: as in Keras; `False`: a folder.
        save_format: of earlier versions of Keras.
        include_optimizer: likewise; Keras passes over it in `.keras` files.

    Raises:
        ValueError: naming the argument, and what to do instead.
    """
    name = os.fspath(filepath) if isinstance(filepath, (str, os.PathLike)) else filepath
    instead = (
        'Save the model as "....keras"; its weights alone by `save_weights("....weights.h5")`; for '
        "use without this package, by `export`."
    )
    lower = str(name).lower()
    if lower.endswith((".h5", ".hdf5", ".hdf", ".he5")):
        reason = "an HDF5 file knows models by their class name only, and could not be loaded again"
    elif save_format not in (None, False, "keras"):
        raise ValueError(f"`save_format` must be left away, got {save_format!r}. {instead}")
    elif not include_optimizer:
        raise ValueError(
            "`include_optimizer` must be left away: a `.keras` file of a compiled model holds its "
            "optimizers. Load it with `keras.saving.load_model(path, compile=False)`, or save "
            "before `compile`."
        )
    elif not lower.endswith(".keras") and zipped is not False and not lower.startswith("hf://"):
        reason = "that is not a name of Keras' own format"
    else:
        return
    raise ValueError(f"`filepath`: {name!r}: {reason}. {instead}")


class WholeFiles:
    """A mixin in front of `keras.Model`: what is saved replaces the file there when it is whole.

    On several workers the first one saves, and the others pass.
    """

    variables: list  # of `keras.Model`
    writes_files = True  # Whether this process does; another worker may.

    def save(self, filepath, overwrite=True, zipped=None, **kwargs):
        """Saves the model as Keras does; a file that is there is replaced only when all is written.

        Args:
            filepath: `.keras` file.
            overwrite: as in Keras.
            zipped: as in Keras.
            **kwargs: refused: other formats, and `include_optimizer=False`.

        Raises:
            ValueError: for anything but a `.keras` file (or a folder, with `zipped=False`).
            OSError: if it cannot be written; a file that was there is as it was.
        """
        check_format(filepath, zipped, **kwargs)
        with self._target(filepath, overwrite and zipped is not False) as path:
            if path is not None:
                super().save(path, overwrite=overwrite, zipped=zipped)

    def save_weights(self, filepath, overwrite=True, max_shard_size=None):
        """Saves the weights as Keras does; a file that is there is replaced as in `save`.

        Args:
            filepath: `.weights.h5` file.
            overwrite: as in Keras.
            max_shard_size: as in Keras; shards are written where they are.

        Raises:
            ValueError: for a file of another name.
            OSError: as in `save`.
        """
        if max_shard_size is None and not str(filepath).endswith(".weights.h5"):
            raise ValueError(f"`filepath`: {str(filepath)!r} must end in '.weights.h5'.")
        with self._target(filepath, overwrite and max_shard_size is None) as path:
            if path is not None:
                super().save_weights(path, overwrite=overwrite, max_shard_size=max_shard_size)

    def quantize(self, *args, **kwargs):
        """Raises: a file holds the constructor's arguments, which make no quantized layers."""
        raise ValueError(
            "`quantize`: a model of keras_spade whose layers are quantized could not be saved. "
            "Export it, and quantize what is exported."
        )

    @contextlib.contextmanager
    def _target(self, filepath, replaces):
        """The path to write to; `None` where another worker writes."""
        if not self.writes_files:
            yield None
        elif not replaces or not isinstance(filepath, (str, os.PathLike)) or "://" in str(filepath):
            yield filepath
        else:
            # Of 32 bits each.
            size = sum(4 * math.prod(variable.shape) for variable in self.saved_variables())
            with replacing(filepath, size) as partial:
                yield partial

    def saved_variables(self):
        """The variables that a file of the model holds."""
        return self.variables
