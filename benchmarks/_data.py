"""The label maps that the benchmarks run on, and how many of their patterns are distinct."""

import numpy as np

from keras_spade import datasets

WINDOW = 5
COCO_CLASSES = 182


def load_batches(source, count, batch_size, size, num_classes, void_label, void_class):
    """Loads `count` batches, and says what they hold.

    Samples come in a shuffled order that is always the same, again from the first after the last.

    Args:
        source: `"scenes"`, `"coco:<dir>"`, `"folders:<dir>"`, or `"noise"`, `"noise:<n>"`: random
            labels in squares of n x n pixels.
        count: number of batches.
        batch_size: samples in each.
        size: `(height, width)`, to which maps are resized (nearest).
        num_classes: classes, void not counted; `None`: as many as the data has.
        void_label: the id of void in the files of `folders`.
        void_class: whether void is a class; `None`: in COCO-Stuff and in noise.

    Returns:
        `(batches, num_classes, void_class)`; a batch is a dict of `"labels"` int32 `(B, H, W)`,
        `"image"` float32 `(B, H, W, 3)` and, if there are instances, `"edges"` float32
        `(B, H, W)` of 0 and 1.

    Raises:
        ValueError: for an unknown source, or classes that do not fit it.
    """
    kind, _, where = source.partition(":")
    if kind == "scenes":
        num_classes, void_class = num_classes or len(datasets.SCENE_CLASSES), bool(void_class)
        samples = _scenes(count * batch_size, size)
    elif kind == "noise":
        num_classes, void_class = num_classes or COCO_CLASSES, void_class is not False
        samples = _noise(count * batch_size, size, num_classes + void_class, int(where or 1))
    elif kind == "coco":
        num_classes, void_class = num_classes or COCO_CLASSES, void_class is not False
        dataset = datasets.coco_stuff(where, image_size=size, void_class=void_class)
        samples = _samples(dataset, count * batch_size)
    elif kind == "folders":
        if num_classes is None:
            raise ValueError("--num_classes is needed with --data=folders:<dir>")
        void_class = bool(void_class)
        options = {"void_label": void_label, "void_class": void_class}
        dataset = datasets.paired_folders(where, num_classes, size, **options)
        samples = _samples(dataset, count * batch_size)
    else:
        raise ValueError(f"--data must be scenes, coco:, folders: or noise, got {source!r}")
    largest = samples["labels"].max()
    if largest >= num_classes + void_class:
        raise ValueError(f"--num_classes={num_classes}: the maps hold the id {largest}")
    batches = [
        {key: array[i * batch_size :][:batch_size] for key, array in samples.items()}
        for i in range(count)
    ]
    return batches, num_classes, void_class


def _scenes(count, size):
    scenes = datasets.draw_scenes(count, image_size=size)
    return {
        "labels": scenes["labels"],
        "image": scenes["image"] / np.float32(127.5) - np.float32(1.0),
        "edges": instance_edges(scenes["instances"]),
    }


def _noise(count, size, num_classes, square):
    rng = np.random.default_rng(0)
    rows, columns = (np.arange(length) // square for length in size)
    shape = (count, rows[-1] + 1, columns[-1] + 1)

    def maps(below):
        return rng.integers(0, below, shape)[:, rows][:, :, columns]

    return {
        "labels": maps(num_classes).astype("int32"),
        "image": rng.uniform(-1, 1, (count, *size, 3)).astype("float32"),
        "edges": maps(2).astype("float32"),
    }


def _samples(dataset, count):
    """Samples of a data set of batches of one, stacked."""
    samples = list(dataset.repeat().take(count).as_numpy_iterator())
    arrays = {key: np.concatenate([sample[key] for sample in samples]) for key in samples[0]}
    if "instances" in arrays:
        arrays["edges"] = instance_edges(arrays.pop("instances"))
    return arrays


def instance_edges(instances):
    """Marks pixels whose instance differs from a left, right, upper or lower neighbour's."""
    edges = np.zeros(instances.shape, "float32")
    for axis in (1, 2):
        here, next_ = np.moveaxis(instances, axis, 1), np.moveaxis(edges, axis, 1)
        border = here[:, 1:] != here[:, :-1]
        next_[:, 1:][border] = 1.0
        next_[:, :-1][border] = 1.0
    return edges


def distinct_shares(batch, doublings=5):
    """The share of distinct 5 x 5 label patterns among the pixels of a batch, by resolution.

    Counted without the package: every window of labels and edge bits, zero outside of the map, at
    the image's resolution, resized (nearest) to half of it, and so on.

    Returns:
        A dict `(height, width)` -> share.
    """
    height, width = batch["labels"].shape[1:]
    ids = batch["labels"].astype("int64") + 1
    if "edges" in batch:
        ids = 2 * ids + (batch["edges"] != 0)
    shares = {}
    for halvings in range(doublings + 1):
        size = (max(height >> halvings, 1), max(width >> halvings, 1))
        rows, columns = nearest_index(height, size[0]), nearest_index(width, size[1])
        shares[size] = _distinct(ids[:, rows][:, :, columns])
    return shares


def nearest_index(size_in, size_out):
    """The source index of every output pixel: `floor(i * in / out)`, in float32."""
    ratio = np.float32(size_in) / np.float32(size_out)
    index = np.floor(np.arange(size_out, dtype="float32") * ratio).astype("int64")
    return np.minimum(index, size_in - 1)


def _distinct(ids):
    """Distinct windows of a batch of maps, divided by its pixels."""
    pad = WINDOW // 2
    padded = np.pad(ids.astype("uint16"), ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (WINDOW, WINDOW), axis=(1, 2))
    rows = np.ascontiguousarray(windows.reshape(ids.size, WINDOW**2))
    return len(np.unique(rows.view(f"V{rows.itemsize * WINDOW**2}"))) / ids.size
