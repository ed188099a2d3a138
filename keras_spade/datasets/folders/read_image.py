"""One image from disk."""

import numpy as np

from keras_spade.datasets.folders.opening import File
from keras_spade.datasets.folders.photographs import image_kind, read_photograph
from keras_spade.datasets.folders.raster import Raster
from keras_spade.datasets.folders.reading import TURNS


def read_image(
    file: File, image_channels: int = 3, image_range: tuple[float, float] | None = None
) -> np.ndarray:
    """Reads an image as the folder datasets do, in its own size, turned according to EXIF.

    Args:
        file: path of a BMP, JPEG, PNG, TIFF, WebP or `.npy`.
        image_channels: as in `paired_folders`: 3 for RGB, 1 for grey, otherwise the number in the
            file.
        image_range: as in `paired_folders`: the values in the file that become -1 and 1; `None`:
            the file has 8 bits per channel.

    Returns:
        uint8, or with `image_range` float32 in [-1, 1], `(height, width, image_channels)`. With a
        batch axis added, this can be a style image.

    Raises:
        ValueError: if the file cannot be read, has other channels, or has more than 8 bits and
            there is no `image_range`. It names the file.

    Example:

    ```python
    style = keras_spade.datasets.read_image("ct/images/1.png", 1, image_range=(0, 4095))
    gan.generate(labels, style_image=style[None])
    ```
    """
    image_channels, image_range = image_kind(image_channels, image_range)
    image = read_photograph(file, image_channels, image_range)
    turn = TURNS.get(image.info.get("orientation"))
    image = image if turn is None else image.transpose(turn)
    if isinstance(image, Raster):
        return image.resized((image.height, image.width), image_range)
    return np.array(image)
