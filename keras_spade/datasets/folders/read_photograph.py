"""One photograph from disk."""

import numpy as np

from keras_spade.datasets.folders.reading import TURNS, read_image


def read_photograph(file):
    """Reads a photograph as the folder datasets do, turned as it is to be seen.

    Args:
        file: path of a JPEG, PNG, BMP, TIFF or WebP.

    Returns:
        uint8 `(height, width, 3)`.

    Raises:
        ValueError: if the file cannot be read, or holds no image of 8 bits a channel. It names the
            file.

    Example:

    ```python
    photograph = keras_spade.datasets.read_photograph("street/images/1.jpg")
    gan.generate(labels, style_image=photograph[None])
    ```
    """
    photograph = read_image(file)
    turn = TURNS.get(photograph.info["orientation"])
    return np.asarray(photograph if turn is None else photograph.transpose(turn))
