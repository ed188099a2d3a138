"""Epochs of input pipelines. Only workers import this module and the libraries it needs.

The task: decode a photograph and its label map, resize to 286 x 286, crop to 256 x 256, flip,
batch. "uint8": images become floats in the batch; "decoded": decoded and resized in advance, in
memory. Keras' image_dataset_from_directory reads the photographs only, and resizes them to 256 x
256.
"""

import functools
import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.plan import Subject
from benchmarks.harness.run import Run

LOAD, SIZE = 286, 256


def _loader(kind, floats):
    options = {"pipeline": "torch", "kind": kind, "floats": floats}
    return Subject("torch", __name__, options, ours=False)


def _tensorflow(pipeline, ours=True, **options):
    return Subject("tensorflow", __name__, {"pipeline": pipeline, **options}, ours)


SUBJECTS = {
    "DataLoader": _loader("PairDataset", True),
    "DataLoader uint8": _loader("PairDataset", False),
    "DataLoader decoded": _loader("DecodedDataset", True),
    "DataLoader decoded uint8": _loader("DecodedDataset", False),
    "ours files": _tensorflow("files"),
    "ours TFRecords": _tensorflow("records"),
    "ours cached": _tensorflow("files", cache=True),
    "Keras images only": _tensorflow("keras_images", ours=False),
}


@dataclass(frozen=True)
class PipelineSettings:
    """The folder with images/ and labels/, ids in the label maps, and workers of the DataLoader."""

    data: str
    num_classes: int
    workers: int
    scratch: str  # A folder for records.

    def __post_init__(self):
        if not all((Path(self.data) / name).is_dir() for name in ("images", "labels")):
            raise ValueError(f"--data must be a folder with images/ and labels/; got {self.data}")


def make(device, settings, samples, pipeline, **options):
    """Makes the `Run` of a pipeline, given by the name of a function of settings and batch size."""
    pipelines = {function.__name__: function for function in (files, records, keras_images, torch)}
    return EpochRun(device, functools.partial(pipelines[pipeline], settings, **options))


class EpochRun(Run):
    """A step is an epoch of the batches, images or dicts, from a function of the batch size."""

    def __init__(self, device, open_pipeline):
        super().__init__(device)
        self.open_pipeline = open_pipeline

    def prepare(self, case):
        self.batches = self.open_pipeline(case["batch"])
        self.samples = self.step(None)  # Fill caches and start workers.

    def step(self, batch):
        count = 0
        for found in self.batches:
            image = found["image"] if isinstance(found, dict) else found
            if "uint8" in str(image.dtype):
                image = image.float().div_(127.5).sub_(1.0)
            count += len(image)
        return count


def files(settings, batch_size, **more):
    """Ours from files."""
    from keras_spade import datasets

    options = {"load_size": LOAD, "flip": True, "batch_size": batch_size, "instances": False}
    size = (SIZE, SIZE)
    return datasets.paired_folders(settings.data, settings.num_classes, size, **options, **more)


def records(settings, batch_size):
    """Ours from TFRecords, written beforehand."""
    from keras_spade import datasets

    folder = Path(settings.scratch) / f"records_{os.getpid()}"
    datasets.write_tfrecords(files(settings, batch_size), folder, verbose=0)
    options = {"load_size": LOAD, "flip": True, "batch_size": batch_size}
    return datasets.tfrecords(folder, (SIZE, SIZE), **options)


def keras_images(settings, batch_size):
    """Keras' photographs without label maps."""
    import keras

    images = str(Path(settings.data) / "images")
    options = {"labels": None, "batch_size": batch_size, "image_size": (SIZE, SIZE)}
    return keras.utils.image_dataset_from_directory(images, **options, verbose=False)


def torch(settings, batch_size, kind, floats):
    """PyTorch's DataLoader, with worker processes."""
    from benchmarks.input import torch_loader

    folders = (sorted((Path(settings.data) / name).iterdir()) for name in ("images", "labels"))
    pairs = [(str(a), str(b)) for a, b in zip(*folders, strict=True)]
    dataset = getattr(torch_loader, kind)(pairs, LOAD, SIZE, floats)
    return torch_loader.loader(dataset, batch_size, settings.workers)
