"""Pixels with any number of channels and any data type."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from PIL import Image

from keras_spade.images import resize_channels

# Pillow's names for turning an image, as NumPy operations.
_TURNS = {
    Image.Transpose.FLIP_LEFT_RIGHT: np.fliplr,
    Image.Transpose.ROTATE_180: lambda x: x[::-1, ::-1],
    Image.Transpose.FLIP_TOP_BOTTOM: np.flipud,
    Image.Transpose.TRANSPOSE: lambda x: x.swapaxes(0, 1),
    Image.Transpose.ROTATE_270: lambda x: np.rot90(x, 3),
    Image.Transpose.TRANSVERSE: lambda x: x.swapaxes(0, 1)[::-1, ::-1],
    Image.Transpose.ROTATE_90: np.rot90,
}


@dataclass(frozen=True)
class Raster:
    """Pixels that do not fit into a Pillow image, with the attributes that readers use.

    Args:
        pixels: `(H, W, channels)`, of any numeric type, as stored.
        file: where they come from, for errors.
        format: Pillow's name of the file's format.
        info: `"orientation"`, from EXIF.
    """

    pixels: np.ndarray
    file: object
    format: str | None = None
    info: dict = field(default_factory=dict)

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.pixels.shape[1]

    @property
    def size(self) -> tuple[int, int]:
        """`(width, height)`, as in Pillow."""
        return self.width, self.height

    def transpose(self, turn: Image.Transpose) -> Self:
        """The same image, turned as by Pillow's `transpose`."""
        pixels = np.ascontiguousarray(_TURNS[turn](self.pixels))
        return Raster(pixels, self.file, self.format, self.info)

    def resized(self, size: tuple[int, int], image_range: tuple[float, float] | None) -> np.ndarray:
        """The pixels, resized bicubically, each channel separately.

        Args:
            size: `(height, width)`.
            image_range: the values that become -1 and 1; values outside are clipped. `None`: the
                pixels are bytes and stay bytes.

        Returns:
            float32 in [-1, 1], or uint8, `(height, width, channels)`.

        Raises:
            ValueError: if values that become floats are not finite; it names the file.
        """
        pixels = self.pixels if image_range is None else self._floats(image_range)
        return pixels if size == pixels.shape[:2] else resize_channels(pixels, *size)

    def _floats(self, image_range):
        low, high = image_range
        wide = self.pixels.dtype.itemsize > 2 and self.pixels.dtype != np.float32
        pixels = self.pixels.astype("float64" if wide else "float32")
        pixels = np.clip((pixels - low) * (2 / (high - low)) - 1, -1, 1).astype("float32")
        if not np.isfinite(pixels).all():
            raise ValueError(f"{self.file}: it contains NaN, which is not a colour")
        return pixels

    def extremes(self) -> tuple[float, float]:
        """The smallest and the largest finite value."""
        pixels = self.pixels
        if pixels.dtype.kind == "f":
            pixels = pixels[np.isfinite(pixels)]
        return (pixels.min().item(), pixels.max().item()) if pixels.size else (0.0, 0.0)

    def shown(self, image_range: tuple[float, float] | None = None) -> Image.Image:
        """A Pillow image of its first three channels, or of the first if there are fewer."""
        count = 3 if self.pixels.shape[-1] >= 3 else 1
        if image_range is None:
            image_range = (0, 255) if self.pixels.dtype == np.uint8 else self.extremes()
        low, high = image_range
        pixels = np.nan_to_num(self.pixels[..., :count].astype("float64"), nan=low)
        pixels = np.clip((pixels - low) / max(high - low, 1e-12) * 255, 0, 255).round()
        return Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).astype("uint8"))
