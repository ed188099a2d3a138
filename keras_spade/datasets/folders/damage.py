"""What damaged files Pillow would read."""

import os
import zlib

PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def refuse_damage(kind, mode, stream):
    """Refuses what Pillow reads without a word: damaged PNG files, and BMP of two colours.

    Args:
        kind: the format, in Pillow's words; "PNG" or "BMP".
        mode: of the image, in Pillow's words.
        stream: the bytes of the file.

    Raises:
        ValueError: with the reason.
    """
    if kind == "PNG":
        _check_png(stream)
    elif mode == "1":
        head = stream.read(30)
        at = 24 if head[14] == 12 else 28  # of OS/2, and of Windows
        if int.from_bytes(head[at : at + 2], "little") != 1:
            raise ValueError("it is a BMP of two colours in more than one bit; save it as PNG")


def _check_png(stream):
    """Compares the checksums of the parts that make the pixels; others have odd ones, often.

    `PIL.Image.verify` does so too, but of all parts, and holds each of them in memory.
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
            raise ValueError(f"it is damaged: wrong checksum of the part {name.decode()}")
