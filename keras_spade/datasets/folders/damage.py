"""Finds damaged files that Pillow reads without an error."""

import os
import zlib
from typing import BinaryIO

PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def refuse_damage(kind: str, mode: str, stream: BinaryIO) -> None:
    """Refuses files that Pillow misreads silently: damaged PNG and two-colour BMP files.

    Args:
        kind: Pillow's name of the format, "PNG" or "BMP".
        mode: Pillow's mode of the image.
        stream: the bytes of the file.

    Raises:
        ValueError: with the reason.
    """
    if kind == "PNG":
        _check_png(stream)
    elif mode == "1":
        head = stream.read(30)
        at = 24 if head[14] == 12 else 28  # the header of OS/2, or of Windows
        if int.from_bytes(head[at : at + 2], "little") != 1:
            raise ValueError(
                "it is a two-colour BMP with more than one bit per pixel; save it as PNG"
            )


def _check_png(stream):
    """Compares the checksums of the chunks that hold pixels; those of others are often wrong.

    `PIL.Image.verify` does this too, but for all chunks, and keeps each of them in memory.
    """
    stream.seek(8)
    name = None
    while name != b"IEND":
        head = stream.read(8)
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8:
            raise ValueError("it is truncated: its end is missing")
        if name not in PIXEL_CHUNKS:
            stream.seek(size + 4, os.SEEK_CUR)
            continue
        found = zlib.crc32(name)
        while size > 0 and (content := stream.read(min(size, 2**20))):
            found = zlib.crc32(content, found)
            size -= len(content)
        checksum = stream.read(4)
        if len(checksum) < 4:
            raise ValueError("it is truncated: its end is missing")
        if found != int.from_bytes(checksum, "big"):
            raise ValueError(f"it is damaged: wrong checksum of the chunk {name.decode()}")
