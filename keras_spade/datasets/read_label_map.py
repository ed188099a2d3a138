"""One label map from disk."""

from keras_spade.datasets._reading import class_ids, read_ids


def read_label_map(file, num_classes=None, void_label=255, void_class=False):
    """Reads a label map, or instance ids, as the folder datasets do.

    Args:
        file: path of a PNG with the ids in one channel; of a palette file the index is taken.
        num_classes: number of classes, void not counted; `None`: ids are returned as they are.
        void_label: the id in the file that means "don't care", or `None`.
        void_class: whether void pixels get the id `num_classes`; else they are an error.

    Returns:
        int32 `(height, width)`.

    Raises:
        ValueError: if the file cannot be read, is not one channel of ids, or an id is not a class.
            It names the file.

    Example:

    ```python
    labels = keras_spade.datasets.read_label_map("street/labels/1.png", num_classes=11)
    gan.generate(labels[None])
    ```
    """
    ids = read_ids(file)
    if num_classes is None:
        return ids.astype("int32")
    return class_ids(file, ids, num_classes, void_label, void_class)
