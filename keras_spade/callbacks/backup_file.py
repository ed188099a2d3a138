"""The file of a backup: arrays, and a state as JSON."""

import json
import os
import zlib

import keras
import numpy as np

from keras_spade.callbacks.restored import Restored
from keras_spade.files import replacing
from keras_spade.tensor import Tensor


def as_array(variable: Tensor) -> np.ndarray:
    """The value of a variable as an array that a NumPy file can hold."""
    array = np.asarray(keras.ops.convert_to_numpy(variable))
    # NumPy files do not support bfloat16; float32 holds it exactly.
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def write_backup(path: str | os.PathLike, state: dict, arrays: dict[str, np.ndarray]) -> None:
    """Writes a backup; an existing file is replaced only after a complete write."""
    with replacing(path, sum(x.nbytes for x in arrays.values())) as partial:
        with open(partial, "wb") as file:
            np.savez(file, state=np.array(json.dumps(state, default=float)), **arrays)


def read_backup(path: str | os.PathLike) -> tuple[Restored, dict[str, np.ndarray]]:
    """Reads a backup: all but the variables, and all its arrays."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
        sums = [entry.CRC for entry in file.zip.infolist()]
    state = json.loads(str(arrays.pop("state")))
    prefix = "metrics/"
    metrics = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    return Restored(zlib.crc32(str(sums).encode()), metrics, **state), arrays
