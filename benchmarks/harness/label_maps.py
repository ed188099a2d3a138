"""The label maps of the benchmarks, and their share of distinct patterns."""

import itertools
from dataclasses import dataclass

import numpy as np

WINDOW = 5
COCO_CLASSES = 182


@dataclass(frozen=True)
class LabelMaps:
    """Samples, and their classes, excluding void.

    `samples` is a dict of `"labels"` uint16 `(N, H, W)`, `"image"` uint8 `(N, H, W, 3)` and, if
    there are instances, `"edges"` uint8 `(N, H, W)` of 0 and 1.
    """

    samples: dict
    num_classes: int
    void_class: bool

    @property
    def label_channels(self):
        """Channels of the one-hot map, including edges."""
        return self.num_classes + self.void_class + ("edges" in self.samples)


def load_label_maps(source, count, size, num_classes=None, void_class=None, void_label=255):
    """Draws or reads label maps, with images.

    Args:
        source: `"scenes"`: drawn, each with its own classes; `"noise"`, `"noise:<n>"`: random
            labels in squares of n x n pixels; `"folders:<dir>"`; or one of the package's
            `PUBLIC_DATASETS` and its folder: `"coco_stuff:<dir>"`, `"camvid:<dir>"` and so on.
        count: number of samples, in a fixed shuffled order; after the last, it starts again with
            the first.
        size: `(height, width)`, to which maps are resized (nearest).
        num_classes: classes, excluding void; `None`: as in the data.
        void_class: whether void is a class; `None`: not in folders. Public sets have one.
        void_label: the id of void in the files of folders.

    Returns:
        `LabelMaps`.

    Raises:
        ValueError: for an unknown source, or classes that do not fit it.
    """
    from keras_spade.datasets import PUBLIC_DATASETS

    kind, _, where = source.partition(":")
    if kind in ("scenes", "noise"):
        num_classes, void_class = num_classes or COCO_CLASSES, void_class is not False
        if kind == "scenes":
            samples = _scenes(count, size, num_classes)
        else:
            samples = _noise(count, size, num_classes + void_class, int(where or 1))
    elif kind == "folders":
        if num_classes is None:
            raise ValueError("--num_classes is needed with --data=folders:<dir>")
        void_class = bool(void_class)
        samples = _folders(where, count, size, num_classes, void_class, void_label)
    elif kind in PUBLIC_DATASETS:
        dataset = PUBLIC_DATASETS[kind].load(where, image_size=size)
        samples = _taken(dataset, count)
        num_classes, void_class = num_classes or dataset.source.info.num_classes, True
    else:
        known = ", ".join(f"{name}:" for name in ("folders", *PUBLIC_DATASETS))
        raise ValueError(f"--data must be scenes, noise, noise:<n>, {known}; got {source!r}")
    largest = samples["labels"].max()
    if largest >= num_classes + void_class:
        raise ValueError(f"--num_classes={num_classes}: the maps hold the id {largest}")
    return LabelMaps(samples, num_classes, void_class)


def pick_batch(samples, index, batch_size):
    """The batch `index` in the form for all models; samples repeat cyclically.

    Returns:
        A dict of `"labels"` int32 `(B, H, W)`, `"image"` float32 `(B, H, W, 3)` in [-1, 1] and, if
        there are edges, `"edges"` float32 `(B, H, W)` of 0 and 1.
    """
    places = np.arange(index * batch_size, (index + 1) * batch_size) % len(samples["labels"])
    # Without the package: subjects of other libraries call this too.
    image = samples["image"][places].astype("float32") / np.float32(127.5) - np.float32(1.0)
    batch = {"labels": samples["labels"][places].astype("int32"), "image": image}
    if "edges" in samples:
        batch["edges"] = samples["edges"][places].astype("float32")
    return batch


def _scenes(count, size, num_classes):
    """Scenes whose classes get different ids in every scene.

    So scenes share few label patterns, like photographs: the share of distinct patterns in a batch
    is similar to COCO-Stuff. With fewer classes than in a scene, several are merged.
    """
    from keras_spade import datasets
    from keras_spade.images import instance_borders

    scenes = datasets.draw_scenes(count, image_size=size, seed=0)
    rng, drawn = np.random.default_rng(0), len(datasets.SCENE_CLASSES)
    labels = np.empty(scenes["labels"].shape, "uint16")
    for place, map_ in enumerate(scenes["labels"]):
        ids = rng.permutation(max(num_classes, drawn))[:drawn] % num_classes
        labels[place] = ids[map_]
    edges = instance_borders(scenes["instances"]).astype("uint8")
    return {"labels": labels, "image": scenes["image"], "edges": edges}


def _noise(count, size, num_classes, square):
    rng = np.random.default_rng(0)
    rows, columns = (np.arange(length) // square for length in size)
    shape = (count, rows[-1] + 1, columns[-1] + 1)

    def maps(below):
        return rng.integers(0, below, shape)[:, rows][:, :, columns]

    return {
        "labels": maps(num_classes).astype("uint16"),
        "image": rng.integers(0, 256, (count, *size, 3), dtype="uint8"),
        "edges": maps(2).astype("uint8"),
    }


def _folders(where, count, size, num_classes, void_class, void_label):
    from keras_spade import datasets

    options = {"void_label": void_label, "void_class": void_class}
    return _taken(datasets.paired_folders(where, num_classes, size, **options), count)


def _taken(dataset, count):
    """Samples of a data set of batches of one, stacked."""
    from keras_spade.images import instance_borders, to_bytes

    passes = (dataset.as_numpy_iterator() for _ in itertools.count())
    batches = list(itertools.islice(itertools.chain.from_iterable(passes), count))
    arrays = {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}
    samples = {
        "labels": arrays["labels"].astype("uint16"),
        "image": to_bytes(arrays["image"]),
    }
    if "instances" in arrays:
        samples["edges"] = instance_borders(arrays["instances"]).astype("uint8")
    return samples


def distinct_shares(batch, doublings=5, window=WINDOW, stride=1, pad=None):
    """The share of distinct label patterns, 5 x 5, among the pixels of a batch, by resolution.

    Counted without the package: every window of labels and edge bits, zero outside the map
    (`pad` pixels, half a window if not given), at the image's resolution, resized (nearest) to half
    of it, and so on.

    Returns:
        A dict `(height, width)` -> share.
    """
    height, width = batch["labels"].shape[1:]
    ids = batch["labels"].astype("int64") + 1
    if "edges" in batch:
        ids = 2 * ids + (batch["edges"] != 0)
    shares, pad = {}, window // 2 if pad is None else pad
    for halvings in range(doublings + 1):
        size = (max(height >> halvings, 1), max(width >> halvings, 1))
        rows, columns = nearest_index(height, size[0]), nearest_index(width, size[1])
        shares[size] = _distinct(ids[:, rows][:, :, columns], window, stride, pad)
    return shares


def nearest_index(size_in, size_out):
    """The source index of every output pixel: `floor(i * in / out)`, in float32."""
    ratio = np.float32(size_in) / np.float32(size_out)
    index = np.floor(np.arange(size_out, dtype="float32") * ratio).astype("int64")
    return np.minimum(index, size_in - 1)


def shares_line(shares):
    """One line for dicts, one per batch, of `(height, width)` to the share of distinct patterns."""
    parts = []
    for height, width in shares[0]:
        values = [100 * batch[height, width] for batch in shares]
        mean, low, high = sum(values) / len(values), min(values), max(values)
        parts.append(f"{height} x {width}: {mean:.1f} % [{low:.1f}..{high:.1f}]")
    return ", ".join(parts)


def _distinct(ids, window, stride, pad):
    """Distinct windows of a batch of maps, divided by the number of windows."""
    padded = np.pad(ids.astype("uint16"), ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (window, window), axis=(1, 2))
    rows = np.ascontiguousarray(windows[:, ::stride, ::stride].reshape(-1, window**2))
    return len(np.unique(rows.view(f"V{rows.itemsize * window**2}"))) / len(rows)
