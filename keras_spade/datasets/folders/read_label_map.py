"""One label map from disk."""

from keras_spade.datasets.folders.reading import read_colors, read_ids
from keras_spade.datasets.folders.sample_reader import chosen_mapping, class_ids
from keras_spade.datasets.folders.smoothing import refuse_smooth


def read_label_map(
    file,
    num_classes=None,
    void_label=255,
    void_class=False,
    label_mapping=None,
    allow_smooth_labels=False,
):
    """Reads a label map, or instance ids, as the folder datasets do.

    Args:
        file: path of a PNG, BMP, TIFF or `.npy` with the ids in one channel; of a palette file the
            index is taken. With a palette in `label_mapping` also RGB.
        num_classes: number of classes, void not counted; `None`: ids are returned as they are.
        void_label: the id in the file that means "don't care", or `None`.
        void_class: whether void pixels get the id `num_classes`; else they are an error.
        label_mapping: a `LabelMapping`, in the place of `void_label`.
        allow_smooth_labels: whether ids of classes may go over borders in steps, as smoothing and
            JPEG make them; else they are an error.

    Returns:
        int32 `(height, width)`.

    Raises:
        ValueError: if arguments contradict each other; if the file cannot be read, is not one
            channel of ids, or an id is not a class. It names the file.

    Example:

    ```python
    labels = keras_spade.datasets.read_label_map("street/labels/1.png", num_classes=11)
    gan.generate(labels[None])
    ```
    """
    if num_classes is None:
        if label_mapping is not None or void_class:
            raise ValueError("num_classes is needed with label_mapping and void_class")
        return read_ids(file).astype("int32")
    mapping = chosen_mapping(num_classes, void_label, label_mapping)
    labels = read_colors(file) if mapping.colors else read_ids(file, mapping.grey)
    if labels.ndim == 2 and not allow_smooth_labels:
        refuse_smooth(file, labels)
    return class_ids(file, labels, num_classes, mapping, void_class).astype("int32")
