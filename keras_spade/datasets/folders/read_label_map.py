"""One label map from disk."""

import numpy as np

from keras_spade.datasets.folders.label_mapping import LabelMapping
from keras_spade.datasets.folders.opening import File
from keras_spade.datasets.folders.reading import read_colors, read_ids
from keras_spade.datasets.folders.sample_reader import SampleReader, chosen_mapping, class_ids
from keras_spade.datasets.folders.smoothing import refuse_smooth
from keras_spade.images import resize_maps


def read_label_map(
    file: File,
    num_classes: int | None = None,
    void_label: int | None = 255,
    void_class: bool = False,
    label_mapping: LabelMapping | None = None,
    allow_smooth_labels: bool = False,
    image_size: tuple[int, int] | None = None,
    load_size: int | tuple[int, int] | None = None,
    resize: str = "stretch",
) -> np.ndarray:
    """Reads a label map, or instance ids, as the folder datasets do.

    Args:
        file: path of a PNG, BMP, TIFF or `.npy` with the ids in one channel; in palette files, the
            index is the id. With a palette in `label_mapping`, also RGB.
        num_classes: number of classes, excluding void; `None`: ids are returned unchanged.
        void_label: the id in the file that means "don't care", or `None`.
        void_class: whether void pixels get the id `num_classes`; otherwise they are an error.
        label_mapping: a `LabelMapping`, instead of `void_label`.
        allow_smooth_labels: whether ids of classes may change gradually across borders, as after
            smoothing or JPEG compression; otherwise this is an error.
        image_size: `(height, width)` of the returned map, as in `paired_folders` with
            `crop="center"`; `None`: the size of the file.
        load_size: as in `paired_folders`.
        resize: as in `paired_folders`.

    Returns:
        int32 `(height, width)`.

    Raises:
        ValueError: if arguments contradict each other; if the file cannot be read, ids are not in
            one channel, or an id is not a class. It names the file.

    Example:

    ```python
    labels = keras_spade.datasets.read_label_map("street/labels/1.png", num_classes=11)
    gan.generate(labels[None])
    ```
    """
    ids = _ids(file, num_classes, void_label, void_class, label_mapping, allow_smooth_labels)
    if image_size is None:
        if load_size is not None or resize != "stretch":
            raise ValueError("image_size is needed with load_size and resize")
        return ids
    reader = SampleReader(1, image_size, load_size, resize, crop="center")
    return reader.window([resize_maps(ids[None], *reader.loaded_size(file, ids.shape))[0]], ())[0]


def _ids(file, num_classes, void_label, void_class, label_mapping, allow_smooth_labels):
    """The ids in a file, in its own size."""
    if num_classes is None:
        if label_mapping is not None or void_class:
            raise ValueError("num_classes is needed with label_mapping and void_class")
        return read_ids(file).astype("int32")
    mapping = chosen_mapping(num_classes, void_label, label_mapping)
    labels = read_colors(file) if mapping.colors else read_ids(file, mapping.grey)
    if labels.ndim == 2 and not allow_smooth_labels:
        refuse_smooth(file, labels)
    return class_ids(file, labels, num_classes, mapping, void_class).astype("int32")
