"""Hundreds of invalid, odd or malicious files, and the expected result for each."""

import io
import os
import struct
import zlib

import numpy as np
from PIL import Image

SIZE = (24, 30)
CLASSES = 5


def png(width, height, rows=b"", bits=8, color=2):
    """A PNG with an arbitrary header."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def packed_png(ids, bits):
    """A grey PNG of ids with the given number of bits, several in a byte."""
    places = 8 // bits
    columns = -(-ids.shape[1] // places) * places
    whole = np.zeros((ids.shape[0], columns), np.uint8)
    whole[:, : ids.shape[1]] = ids
    shifts = np.arange(8 - bits, -1, -bits)
    rows = (whole.reshape(len(ids), -1, places) << shifts).sum(-1).astype(np.uint8)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    return png(ids.shape[1], ids.shape[0], lines, bits=bits, color=0)


def saved(image, kind):
    """An image as the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


class Hostile:
    """Writes the files of sample `number` into a folder, damaged in one way.

    `cases` is a list of `(name, outcome, function)`: the function gets paths of image and label,
    both good files, and damages one; the outcome is "good", or a part of the expected error.
    """

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        self.cases = [
            *self._broken_bytes(),
            *self._image_modes(),
            *self._label_modes(),
            *self._ids(),
            *self._sizes(),
            *self._exif(),
            *self._no_regular_files(),
            *self._arrays(),
        ]

    def photograph(self, size=SIZE):
        """A random photograph."""
        return Image.fromarray(self.rng.integers(0, 256, (*size, 3), dtype=np.uint8))

    def labels(self, size=SIZE, dtype="uint8"):
        """A random label map."""
        return self.rng.integers(0, CLASSES, size).astype(dtype)

    def write(self, folder, number):
        """Writes a good sample; returns its image and label paths."""
        image, label = folder / "images" / f"{number}.jpg", folder / "labels" / f"{number}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        label.parent.mkdir(parents=True, exist_ok=True)
        self.photograph().save(image, quality=95)
        Image.fromarray(self.labels()).save(label)
        return image, label

    def _broken_bytes(self):
        def cut(which, share):
            def spoil(*paths):
                content = paths[which].read_bytes()
                paths[which].write_bytes(content[: int(len(content) * share)])

            return spoil

        def flip(which, place):
            def spoil(*paths):
                content = bytearray(paths[which].read_bytes())
                content[int(place * len(content))] ^= 0xFF
                paths[which].write_bytes(content)

            return spoil

        def fill(which, content):
            return lambda *paths: paths[which].write_bytes(content)

        for which, kind in enumerate(("image", "label")):
            for share in (0.0, *np.linspace(0.01, 0.9, 20)):
                yield f"{kind} cut at {share:.2f}", "cannot be read", cut(which, share)
            for place in np.linspace(0.02, 0.98, 45):
                # A flipped byte in a JPEG may give another picture: then the size is still right.
                outcome = ("good or error", "cannot be read")[which]
                yield f"{kind} flipped at {place:.2f}", outcome, flip(which, place)
            for length in (1, 7, 8, 100, 5000):
                yield f"{kind} of {length} zeros", "cannot be read", fill(which, bytes(length))
                noise = self.rng.bytes(length)
                yield f"{kind} of {length} random bytes", "cannot be read", fill(which, noise)
            for content in (b"<svg/>", b"%PDF-1.4", b"GIF89a", b"BM", b"II*\0", b"RIFF", b"8BPS"):
                yield f"{kind} {content!r}", "cannot be read", fill(which, content)
            for width, height in ((60000, 60000), (2**31 - 1, 1), (1, 2**31 - 1), (20000, 10000)):
                name = f"{kind} declares {width} x {height}"
                yield name, "cannot be read", fill(which, png(width, height))
            yield f"{kind} of no width", "cannot be read", fill(which, png(0, 10))
            bomb = png(9000, 9000, bytes(100), color=0)
            yield f"{kind} with fewer rows than declared", "cannot be read", fill(which, bomb)

    def _image_modes(self):
        def save(mode, name, **options):
            def spoil(image, label):
                image.unlink()
                self.photograph().convert(mode).save(image.with_suffix(name), **options)

            return spoil

        for mode, name in (
            ("1", ".png"),
            ("L", ".png"),
            ("LA", ".png"),
            ("P", ".png"),
            ("RGBA", ".png"),
            ("L", ".jpg"),
            ("CMYK", ".jpg"),
            ("YCbCr", ".jpg"),
            ("RGB", ".bmp"),
            ("P", ".bmp"),
            ("RGB", ".webp"),
            ("RGBA", ".webp"),
        ):
            yield f"image {mode} {name}", "good", save(mode, name)

        def floats(image, label):
            self.photograph().convert("F").save(image, "TIFF")

        yield "image of floats", "8 bits per channel", floats
        for name, kind in ((".png", "PNG"), (".webp", "WEBP")):

            def animate(image, label, name=name, kind=kind):
                image.unlink()
                first, *more = (self.photograph() for _ in range(3))
                path = image.with_suffix(name)
                first.save(path, kind, save_all=True, append_images=more, lossless=True)

            yield f"animated {kind}", "it contains 3 pictures", animate

        def wide(image, label):
            image.unlink()
            array = self.rng.integers(0, 2**16, SIZE).astype("uint16")
            Image.fromarray(array).save(image.with_suffix(".png"))

        yield "image of 16 bits", "8 bits per channel", wide

        def wide_colors(image, label):
            rows = b"".join(b"\0" + self.rng.bytes(6 * SIZE[1]) for _ in range(SIZE[0]))
            image.unlink()
            image.with_suffix(".png").write_bytes(png(SIZE[1], SIZE[0], rows, bits=16))

        yield "image of 3 x 16 bits", "8 bits per channel", wide_colors
        for kind, outcome in (("GIF", "images must be"), ("TIFF", "good"), ("PNG", "good")):

            def misnamed(image, label, kind=kind):
                self.photograph().save(image, kind)

            yield f"{kind} called .jpg", outcome, misnamed

    def _label_modes(self):
        def save(mode, outcome, kind="PNG", **options):
            def spoil(image, label):
                Image.fromarray(self.labels()).convert(mode).save(label, kind, **options)

            return f"label {mode} {kind} {options}", outcome, spoil

        yield save("L", "good")
        yield save("L", "good", "TIFF")
        yield save("L", "good", "BMP")
        yield save("I", "good", "TIFF")
        yield save("L", "good", "TIFF", compression="tiff_lzw")
        yield save("L", "compression changes ids", "TIFF", compression="jpeg")
        yield save("L", "compression changes ids", "JPEG")
        yield save("RGB", "compression changes ids", "JPEG")
        yield save("RGB", "compression changes ids", "WEBP", lossless=True)
        yield save("F", "ids must be in one channel", "TIFF")
        for mode in ("RGB", "RGBA", "LA"):
            yield save(mode, "ids must be in one channel")

        def indexed(image, label):
            array = Image.fromarray(self.labels())
            array.putpalette(bytes(range(256)) * 3)
            array.save(label)

        yield "label with a palette", "good", indexed
        for dtype, kind in (("uint16", "PNG"), (">u2", "TIFF"), ("int32", "TIFF")):

            def wide(image, label, dtype=dtype, kind=kind):
                Image.fromarray(self.labels(dtype=dtype)).save(label, kind)

            yield f"label {dtype}", "good", wide

        for bits in (2, 4):

            def packed(image, label, bits=bits):
                label.write_bytes(packed_png(self.labels() % 2**bits, bits))

            yield f"label of {bits} bits", "good", packed

        def wide_colors(image, label):
            rows = (b"\0" + bytes(6 * SIZE[1])) * SIZE[0]
            label.write_bytes(png(SIZE[1], SIZE[0], rows, bits=16))

        yield "label of 3 x 16 bits", "16 bits per channel", wide_colors

        def from_white(image, label):
            content = bytearray(saved(Image.fromarray(self.labels()), "TIFF"))
            entry = content.index(struct.pack("<HHI", 262, 3, 1))  # PhotometricInterpretation
            content[entry + 8 : entry + 10] = struct.pack("<H", 0)
            label.write_bytes(content)

        yield "label that counts from white", "start at white", from_white

        def bits_from_white(image, label):
            content = bytearray(saved(Image.fromarray(self.labels() > 2), "TIFF"))
            entry = content.index(struct.pack("<HHI", 262, 3, 1))
            content[entry + 8 : entry + 10] = struct.pack("<H", 0)
            label.write_bytes(content)

        yield "label of 1 bit that counts from white", "start at white", bits_from_white

        def two_colors(image, label):
            array = Image.fromarray(self.labels() % 2)
            array.putpalette([0, 0, 0, 255, 255, 255])
            array.save(label, "BMP")

        yield "label BMP of two colours", "two-colour BMP", two_colors

        def of_os2(image, label):
            bits = np.packbits(np.pad(self.labels() % 2, ((0, 0), (0, 2))), axis=1)[::-1]
            head = struct.pack("<IHHHH", 12, SIZE[1], SIZE[0], 1, 1) + b"\0\0\0\xff\xff\xff"
            content = head + bits.tobytes()
            label.write_bytes(b"BM" + struct.pack("<IHHI", 14 + len(content), 0, 0, 32) + content)

        yield "label BMP of OS/2 in one bit", "good", of_os2

        def gif(image, label):
            Image.fromarray(self.labels() * 4).save(label, "GIF")

        yield "label GIF", "GIF file, whose palette", gif

        def animate(image, label):
            first, *more = (Image.fromarray(self.labels()) for _ in range(2))
            first.save(label, save_all=True, append_images=more)

        yield "animated label", "it contains 2 pictures", animate

    def _ids(self):
        for value in (CLASSES, CLASSES + 1, 100, 254):
            for pixels in (1, 50):

                def off(image, label, value=value, pixels=pixels):
                    array = self.labels()
                    array.flat[:pixels] = value
                    Image.fromarray(array).save(label)

                yield f"{pixels} ids {value}", f"out of range: {value};", off

        def by_one(image, label):
            Image.fromarray(self.labels() + 1).save(label)

        yield "ids off by one", f"out of range: {CLASSES};", by_one

        def void(image, label):
            array = self.labels()
            array[3:6] = 255
            Image.fromarray(array).save(label)

        yield "void", "good", void

        def smooth(image, label):
            array = Image.fromarray(self.labels() * 40)
            array.resize(SIZE[::-1], Image.BILINEAR, box=(1.5, 1.5, 20, 20)).save(label)

        yield "smoothed ids", "out of range", smooth

        def antialiased(image, label):
            blocks = np.kron(self.labels((10, 10)) % 2 * 4, np.ones((12, 12), np.uint8))
            map_ = Image.fromarray(blocks).resize((97, 97), Image.BILINEAR)
            map_.save(label)
            self.photograph((97, 97)).save(image)

        yield "antialiased ids, all of them classes", "few borders are sharp", antialiased

    def _sizes(self):
        for size in ((1, 1), (24, 29), (25, 30), (30, 24), (48, 60), (12, 15), (1, 720), (720, 1)):

            def other_label(image, label, size=size):
                Image.fromarray(self.labels(size)).save(label)

            def other_image(image, label, size=size):
                self.photograph(size).save(image)

            def both(image, label, size=size):
                other_label(image, label, size)
                other_image(image, label, size)

            yield f"label {size}", "sizes differ", other_label
            yield f"image {size}", "sizes differ", other_image
            yield f"both {size}", "good", both

    def _exif(self):
        for orientation in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65535):
            for turned in (False, True):
                exif = Image.Exif()
                exif[0x0112] = orientation

                def tag(image, label, exif=exif, turned=turned):
                    self.photograph().save(image, exif=exif)
                    Image.fromarray(self.labels(SIZE[::-1] if turned else SIZE)).save(label)

                outcome = "good"
                if turned and orientation not in (5, 6, 7, 8):
                    outcome = "sizes differ"
                elif not turned and orientation in (2, 3, 4):
                    outcome = "turns or mirrors it"
                yield f"EXIF {orientation}, labels turned: {turned}", outcome, tag

        def broken(image, label):
            self.photograph().save(image, exif=b"Exif\0\0II*\0" + b"\xff" * 60)

        yield "broken EXIF", "good", broken
        for tag, kind, value in (
            (0x100, 2, b"no\0\0"),
            (0xA005, 2, b"no\0\0"),
            (0x101, 11, bytes(4)),
        ):
            entries = sorted(
                [(tag, kind, 3 if kind == 2 else 1, value), (0x112, 3, 1, b"\6\0\0\0")]
            )
            packed = b"".join(struct.pack("<HHI4s", *entry) for entry in entries)
            head = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2)

            def odd(image, label, exif=head + packed + bytes(4)):
                self.photograph().save(image, exif=exif)
                Image.fromarray(self.labels(SIZE[::-1])).save(label)

            yield f"EXIF with an odd tag {tag:x}", "good", odd

    def _no_regular_files(self):
        def replace(which, make):
            def spoil(*paths):
                paths[which].unlink()
                make(paths[which])

            return spoil

        def loop(path):
            path.symlink_to(path.name)

        def longer_loop(path):
            other = path.with_name(f".{path.name}")
            path.symlink_to(other.name)
            other.symlink_to(path.name)

        def nowhere(path):
            path.symlink_to("nowhere.png")

        def device(path):
            path.symlink_to("/dev/zero")

        for which, kind in enumerate(("image", "label")):
            for make in (loop, longer_loop, nowhere, device, os.mkfifo):
                name = f"{kind}: {make.__name__}"
                yield name, "cannot be read", replace(which, make)

        def linked(image, label):
            image.rename(image.with_name(f".{image.name}"))
            image.symlink_to(f".{image.name}")

        yield "a link to a good file", "good", linked

    def _arrays(self):
        def save(array):
            def spoil(image, label):
                label.unlink()
                np.save(label.with_suffix(".npy"), array, allow_pickle=array.dtype == object)

            return spoil

        for dtype in ("uint8", "int16", ">u2", "int32", "int64", "uint64", "bool"):
            array = self.labels().astype(dtype)
            yield f"array {dtype}", "good", save(array)
            yield f"array {dtype}, one channel", "good", save(array[..., None])
        for name, array in (
            ("float32", self.labels().astype("float32")),
            ("object", np.array([[None]], object)),
            ("no pixels", np.zeros((0, 30), int)),
            ("text", np.array([["a"]])),
            ("three axes", np.zeros((*SIZE, 2), int)),
            ("one axis", np.zeros(720, int)),
            ("wide", self.labels().astype("int64") << 33),
        ):
            yield f"array {name}", "cannot be read as an array", save(array)
        yield "array of another size", "sizes differ", save(np.zeros((30, 24), int))
        yield "array with ids below 0", "out of range: -7", save(self.labels().astype(int) - 7)

        def cut(image, label):
            save(self.labels())(image, label)
            path = label.with_suffix(".npy")
            path.write_bytes(path.read_bytes()[:-1])

        yield "array cut short", "cannot be read as an array", cut

        def huge(image, label):
            label.unlink()
            head = b"{'descr': '<i8', 'fortran_order': False, 'shape': (1000000, 1000000), }"
            head = head.ljust(117) + b"\n"
            label.with_suffix(".npy").write_bytes(
                b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + head
            )

        yield "array of a huge declared size", "cannot be read as an array", huge
