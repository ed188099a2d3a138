"""Samples in TFRecord shards, read by number through an index of their positions."""

import io
import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from keras_spade.datasets.folders.opening import Blob
from keras_spade.datasets.folders.pairing import printable
from keras_spade.datasets.folders.raster import Raster

FORMAT = "keras_spade samples 1"
INDEX = "index.json"
KEYS = ("image", "labels", "instances")
# The TFRecord format: length (8 bytes) and its checksum (4), the record, its checksum (4).
BEFORE, AFTER = 12, 4


class Records:
    """The samples of an index, as a sequence of tuples of `Blob`.

    Raises:
        ValueError: on creation, if the index or a shard is missing or a size is wrong; on reading,
            if a record is damaged. It names the file.
    """

    def __init__(self, directory: str | os.PathLike):
        self.directory = Path(directory)
        path = self.directory / INDEX
        try:
            index = json.loads(path.read_text())
            if index["format"] != FORMAT:
                raise ValueError(f'its format is {index["format"]!r}, not "{FORMAT}"')
            self.num_classes = index["num_classes"]
            self.void_class = index["void_class"]
            self.instances = index["instances"]
            self.image_channels = index.get("image_channels", 3)
            self.image_range = index.get("image_range")
            self.shards = [self.directory / shard["file"] for shard in index["shards"]]
            lengths = [np.array(shard["lengths"], np.int64) for shard in index["shards"]]
            checks = [np.array(shard["crc32"], np.uint32) for shard in index["shards"]]
            if not lengths or not all(map(len, lengths)):
                raise ValueError("there are no shards, or a shard contains no records")
            if [len(length) for length in lengths] != [len(check) for check in checks]:
                raise ValueError("it lacks a checksum for some records")
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: no index of records ({error}); write_tfrecords writes it last, when all "
                "shards are complete"
            ) from None
        places = [np.cumsum(length + BEFORE + AFTER) for length in lengths]
        for shard, ends in zip(self.shards, places, strict=True):
            wanted = int(ends[-1])
            size = shard.stat().st_size if shard.exists() else None
            if size != wanted:
                found = "is missing" if size is None else f"has {size} bytes"
                raise ValueError(
                    f"{shard} {found}, {path} expects {wanted}; write the dataset again"
                )
        self._shard = np.repeat(np.arange(len(lengths)), [len(length) for length in lengths])
        self._first = np.cumsum([0, *(len(length) for length in lengths)])
        self._length = np.concatenate(lengths)
        self._offset = np.concatenate(
            [ends - length - AFTER for ends, length in zip(places, lengths, strict=True)]
        )
        self._check = np.concatenate(checks)

    def __len__(self):
        return len(self._length)

    def __getitem__(self, number):
        import tensorflow as tf

        if not 0 <= number < len(self):
            raise IndexError(number)
        shard = self._shard[number]
        path = self.shards[shard]
        record = f"{path}, record {number - self._first[shard]}"
        try:
            with open(path, "rb", buffering=0) as file:
                file.seek(self._offset[number])
                content = file.read(self._length[number])
        except OSError as error:
            raise ValueError(f"{record}: cannot be read: {error}") from None
        if zlib.crc32(content) != self._check[number]:
            raise ValueError(f"{record}: damaged, its checksum differs from that in {INDEX}")
        features = tf.train.Example.FromString(content).features.feature
        name = features["name"].bytes_list.value[0].decode("utf-8", "backslashreplace")
        keys = KEYS if self.instances else KEYS[:2]
        return tuple(
            Blob(f"{record} ({name}, {key})", features[key].bytes_list.value[0]) for key in keys
        )


def encode_sample(
    name: str, image_content: bytes | None, image: Image.Image | Raster, maps: Sequence[np.ndarray]
) -> bytes:
    """A sample as a serialized `tf.train.Example`.

    Args:
        name: name of the image file.
        image_content: its bytes, if they contain the image unchanged; `None`: write it as PNG.
        image: Pillow image, or a `Raster`, which is written as `.npy`.
        maps: class ids (H, W), with `num_classes` for void, and instance ids, if any.
    """
    import tensorflow as tf

    encode = _encoded_pixels if isinstance(image, Raster) else _encoded
    values = [image_content or encode(image), *map(_encoded_ids, maps)]
    feature = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in zip(KEYS, values, strict=False)
    }
    name = printable(name).encode()
    feature["name"] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[name]))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def _encoded_pixels(raster):
    """The unchanged pixels as `.npy`."""
    stream = io.BytesIO()
    np.save(stream, raster.pixels, allow_pickle=False)
    return stream.getvalue()


def _encoded_ids(ids):
    """8-bit or 16-bit PNG; 32-bit TIFF if ids need more bits or are negative."""
    low, high = int(ids.min()), int(ids.max())
    if low >= 0 and high < 2**16:
        return _encoded(Image.fromarray(ids.astype("uint8" if high < 2**8 else "uint16")))
    return _encoded(Image.fromarray(ids.astype("int32")), "TIFF", compression="tiff_adobe_deflate")


def _encoded(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
